/** From what a person brings (files, folders, ZIPs, the clipboard) to cells. */
import { Failure } from '../api/failure';
import { zipTools } from '../parts/zipTools';
import type { Cell } from './cell';

export interface Brought {
  cells: Cell[];
  /** Files that came along and are no pictures. */
  skipped: string[];
  /** ZIPs that cannot be opened. */
  broken: string[];
}

export type Source = Pick<Cell, 'name' | 'size' | 'load'>;

const TYPES: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  tif: 'image/tiff',
  tiff: 'image/tiff',
  bmp: 'image/bmp',
  gif: 'image/gif',
};
const UNKNOWN = 'application/octet-stream';
/** What lies beside pictures and is none. Anything else is sent: the server tells by the content, not by the name. */
const BESIDE =
  /(^|\/)(\.[^/]*|__MACOSX\/.*|thumbs\.db|desktop\.ini)$|\.(csv|json|txt|md|xml|html?|pdf|docx?|xlsx?|log)$/i;

export async function gather(files: readonly File[]): Promise<Brought> {
  const brought: Brought = { cells: [], skipped: [], broken: [] };
  const sources: Source[] = [];
  for (const file of files) {
    const name = pathOf(file);
    if (await isZip(file)) await addZip(file, name, sources, brought);
    else if (BESIDE.test(name) && files.length > 1) brought.skipped.push(name);
    else sources.push({ name, size: file.size, load: async () => file });
  }
  brought.cells = sources.map((source, id) => ({
    ...source,
    id,
    answer: null,
    trouble: null,
    decision: null,
  }));
  return brought;
}

/** Folders that a drop or a folder chooser tells of. */
export function pathOf(file: File): string {
  const told =
    (file as File & { path?: string; relativePath?: string }).path || file.webkitRelativePath || file.name;
  return told.replace(/^\.?\//, '');
}

/** What is named as a picture is not opened to see: ten thousand of them would take half a minute. */
export async function isZip(file: File): Promise<boolean> {
  if (typeOf(file.name) !== UNKNOWN) return false;
  const start = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  return start[0] === 0x50 && start[1] === 0x4b && (start[2] === 3 || start[2] === 5);
}

async function addZip(file: File, name: string, sources: Source[], brought: Brought): Promise<void> {
  try {
    for (const source of await unzipped(file)) {
      if (BESIDE.test(source.name)) brought.skipped.push(source.name);
      else sources.push(source);
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    brought.broken.push(name);
  }
}

/** A file of a ZIP. checksum: of its bytes, as the ZIP tells; null where it does not. */
export type Unzipped = Source & { checksum: number | null };

/**
 * Only the directory is read now; each file is unpacked when it is needed, so a ZIP may be of any size.
 *
 * Throws where it cannot be opened, and as `zipTools`.
 */
export async function unzipped(file: File): Promise<Unzipped[]> {
  const { BlobReader, BlobWriter, ZipReader } = await zipTools();
  const found: Unzipped[] = [];
  for (const entry of await new ZipReader(new BlobReader(file)).getEntries()) {
    if (entry.directory) continue;
    found.push({
      name: entry.filename,
      size: entry.uncompressedSize,
      checksum: entry.signature ?? null,
      load: () => entry.getData(new BlobWriter(typeOf(entry.filename))),
    });
  }
  return found;
}

export function typeOf(name: string): string {
  return TYPES[name.slice(name.lastIndexOf('.') + 1).toLowerCase()] ?? UNKNOWN;
}
