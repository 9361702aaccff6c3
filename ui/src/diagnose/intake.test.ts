import { BlobReader, BlobWriter, configure, ZipWriter } from '@zip.js/zip.js/lib/zip-core-custom.js';
import { describe, expect, it } from 'vitest';
import { gather, typeOf } from './intake';

const file = (name: string, text = 'picture') => new File([text], name);

async function zip(entries: Record<string, string>): Promise<File> {
  configure({ useWebWorkers: false });
  const writer = new ZipWriter(new BlobWriter('application/zip'));
  for (const [name, text] of Object.entries(entries))
    await writer.add(name, new BlobReader(new Blob([text])));
  return new File([await writer.close()], 'cells.zip');
}

describe('what a person brings', () => {
  it('is taken file by file, with what lies beside pictures left out', async () => {
    const { cells, skipped } = await gather([
      file('a.png'),
      file('.DS_Store'),
      file('patients.csv'),
      file('b.weird'),
    ]);
    expect(cells.map(({ id, name }) => [id, name])).toEqual([
      [0, 'a.png'],
      [1, 'b.weird'],
    ]);
    expect(skipped).toEqual(['.DS_Store', 'patients.csv']);
  });

  it('is sent to the server where it is all there is, whatever its name', async () => {
    expect((await gather([file('notes.txt')])).cells).toHaveLength(1);
  });

  it('is not opened where its name says that it is a picture', async () => {
    const opened: string[] = [];
    const watched = (name: string) =>
      Object.assign(file(name), {
        slice: () => {
          opened.push(name);
          return new Blob();
        },
      });
    await gather([watched('a.PNG'), watched('b.weird')]);
    expect(opened).toEqual(['b.weird']);
  });

  it('is unpacked from a ZIP only when it is needed', async () => {
    const archive = await zip({
      'Parasitized/x.png': 'the x',
      'y.jpg': 'the y',
      '__MACOSX/._y.jpg': '',
      'patients.csv': '',
    });
    const { cells, skipped, broken } = await gather([archive, file('z.png')]);
    expect(cells.map(({ name }) => name)).toEqual(['Parasitized/x.png', 'y.jpg', 'z.png']);
    expect(await (await cells[0]?.load())?.text()).toBe('the x');
    expect((await cells[1]?.load())?.type).toBe('image/jpeg');
    expect(skipped).toEqual(['__MACOSX/._y.jpg', 'patients.csv']);
    expect(broken).toEqual([]);
  });

  it('is told of where a ZIP is broken', async () => {
    const { cells, broken } = await gather([file('broken.zip', 'PK\u0003\u0004 and no more')]);
    expect([cells, broken]).toEqual([[], ['broken.zip']]);
  });

  it('is shown by the type that its name tells', () => {
    expect(typeOf('a/b.TIF')).toBe('image/tiff');
    expect(typeOf('none')).toBe('application/octet-stream');
  });
});
