/** A folder as one ZIP. Pictures are packed as they are: they hardly get smaller. */
import type { Source } from '../diagnose/intake';
import { zipTools } from '../parts/zipTools';

/** progress: is told the share of the files that are in, 0 to 1. Throws where a file cannot be read. */
export async function pack(
  files: readonly Source[],
  progress: (share: number) => void,
  signal: AbortSignal,
): Promise<Blob> {
  const { BlobReader, BlobWriter, ZipWriter } = await zipTools();
  const writer = new ZipWriter(new BlobWriter('application/zip'), { level: 0, extendedTimestamp: false });
  for (const [at, file] of files.entries()) {
    signal.throwIfAborted();
    await writer.add(file.name, new BlobReader(await file.load()));
    progress((at + 1) / files.length);
  }
  return writer.close();
}
