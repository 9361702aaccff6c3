import { BlobReader, TextWriter, Uint8ArrayWriter, ZipReader } from '@zip.js/zip.js/lib/zip-core-custom.js';
import { describe, expect, it, vi } from 'vitest';
import { type Labelled, layout, pack, patientsCsv } from './labelledZip';

function cell(name: string, given: Partial<Labelled> = {}): Labelled {
  const picture = new Blob([name], { type: 'image/png' });
  return { name, picture, label: 'uninfected', patient: '', slide: '', ...given };
}
const paths = (...cells: Labelled[]) => layout(cells).map(({ path }) => path);

describe('where labelled cells lie', () => {
  it('is the folder of their class, without folders of the person', () => {
    expect(paths(cell('Smith, John/a.png'), cell('b.tif', { label: 'parasitized' }))).toEqual([
      'Uninfected/a.png',
      'Parasitized/b.tif',
    ]);
  });

  it('is one place for each, whatever the case', () => {
    expect(
      paths(cell('1/a.png'), cell('2/A.png'), cell('3/a.png'), cell('a.png', { label: 'parasitized' })),
    ).toEqual(['Uninfected/a.png', 'Uninfected/2/A.png', 'Uninfected/3/a.png', 'Parasitized/a.png']);
  });

  it('keeps what the server reads off names: patient, field, cell', () => {
    expect(paths(cell('x/C33P1thinF_IMG_7_cell_12.png'))).toEqual([
      'Uninfected/C33P1thinF_IMG_7_cell_12.png',
    ]);
  });

  it('names the slide where that alone is known, so that its cells stay together', () => {
    expect(paths(cell('a.png', { slide: 'S 7/b' }), cell('b.jpg', { slide: 'S 7/b' }))).toEqual([
      'Uninfected/S 7-b_cell_1.png',
      'Uninfected/S 7-b_cell_2.jpg',
    ]);
    expect(paths(cell('a.png', { slide: 'S7', patient: 'k-1' }))).toEqual(['Uninfected/a.png']);
  });

  it('is seen, and safe, whatever the name', () => {
    expect(paths(cell('.hidden.png'), cell('a:b*.png'), cell('no-ending'), cell('..png'))).toEqual([
      'Uninfected/hidden.png',
      'Uninfected/a-b-.png',
      'Uninfected/no-ending.png',
      'Uninfected/cell_4.png',
    ]);
  });
});

describe('patients.csv', () => {
  it('has a row for each cell whose patient is known', () => {
    const told = patientsCsv(layout([cell('a.png', { patient: 'k, "2"', slide: 'S7' }), cell('b.png')]));
    expect(told).toBe('file,patient,slide\r\nUninfected/a.png,"k, ""2""",S7\r\n');
  });

  it('is left out where none is', () => expect(patientsCsv(layout([cell('a.png')]))).toBeNull());
});

describe('the ZIP', () => {
  it('holds the pictures byte for byte, the table, and the notice as its comment', async () => {
    const cells = [cell('a.png', { patient: 'k-1' }), cell('b.png', { label: 'parasitized' })];
    const reader = new ZipReader(new BlobReader(await pack(cells, 'Research use only.')));
    const entries = await reader.getEntries();
    expect(entries.map(({ filename }) => filename)).toEqual([
      'patients.csv',
      'Uninfected/a.png',
      'Parasitized/b.png',
    ]);
    const [table, first] = entries;
    if (!table || table.directory || !first || first.directory) throw new Error('folders');
    expect(await table.getData(new TextWriter())).toContain('Uninfected/a.png,k-1,');
    expect(new TextDecoder().decode(await first.getData(new Uint8ArrayWriter()))).toBe('a.png');
    expect(new TextDecoder().decode(reader.comment)).toBe('Research use only.');
  });

  it('is the same bytes whenever it is made', async () => {
    const bytes = async () =>
      new Uint8Array(await (await pack([cell('a.png')], 'Research use only.')).arrayBuffer());
    const first = await bytes();
    vi.useFakeTimers({ now: Date.now() + 86_400_000, toFake: ['Date'] });
    expect(await bytes()).toEqual(first);
    vi.useRealTimers();
  });
});
