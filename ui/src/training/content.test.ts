import { BlobReader, BlobWriter, configure, ZipWriter } from '@zip.js/zip.js/lib/zip-core-custom.js';
import { describe, expect, it } from 'vitest';
import openapi from '../api/openapi.json';
import { type Content, type Fault, look, usable } from './content';
import { chosen, DEFAULTS, LIMITS, MEASURES, METHODS, MOST_NOTE, NETWORKS, right, wrong } from './options';
import { pack } from './pack';
import { fieldOf, patientOf, readTable } from './patients';
import { spread } from './pictures';

async function zipped(entries: Record<string, string>, name = 'site.zip'): Promise<File> {
  configure({ useWebWorkers: false });
  const writer = new ZipWriter(new BlobWriter('application/zip'));
  for (const [path, text] of Object.entries(entries))
    await writer.add(path, new BlobReader(new Blob([text])));
  return new File([await writer.close()], name);
}

/** So many cells of both classes, of several patients. */
const cells = (count: number, folder = ''): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, at) => [
      `${folder}${at % 2 ? 'Uninfected' : 'Parasitized'}/C${1 + (at % 8)}P${1 + (at % 8)}thinF_IMG_cell_${at}.png`,
      `picture ${at}`,
    ]),
  );
const told = (content: Content, fault: Fault) => content.findings.find((one) => one.fault === fault);

describe('an upload', () => {
  it('is counted by class and patient, and nothing is wrong with a good one', async () => {
    const content = await look([
      await zipped({ ...cells(120, 'lab/'), '__MACOSX/._a.png': '', 'lab/.DS_Store': '' }),
    ]);
    expect(content.findings).toEqual([]);
    expect([content.pictures.Parasitized.length, content.pictures.Uninfected.length]).toEqual([60, 60]);
    expect([content.patients, content.unknown, content.tabled, usable(content)]).toEqual([8, 0, false, true]);
  });

  it('may be a folder, which is packed as it lies', async () => {
    const files = Object.entries(cells(120)).map(([name, text]) =>
      Object.assign(new File([text], name.split('/').at(-1) ?? ''), { path: `/laboratory/${name}` }),
    );
    const content = await look(files);
    expect([content.name, content.zip, usable(content)]).toEqual(['laboratory.zip', null, true]);
    let share = 0;
    const zip = await pack(content.files, (now) => (share = now), new AbortController().signal);
    expect(share).toBe(1);
    const again = await look([new File([zip], content.name)]);
    expect(again.pictures.Parasitized.map(({ name }) => name)).toEqual(
      content.pictures.Parasitized.map(({ name }) => name),
    );
  });

  it.each<[string, Record<string, string>, Fault, string]>([
    ['a class is missing', { 'Parasitized/a.png': 'a' }, 'missingClass', 'Uninfected'],
    ['there are no class folders', { 'other/a.png': 'a' }, 'noFolders', 'other'],
    ['it is empty', {}, 'empty', ''],
  ])('cannot be used where %s', async (_, entries, fault, what) => {
    const content = await look([await zipped(entries)]);
    expect(told(content, fault)).toEqual({ fault, count: 1, what });
    expect(usable(content)).toBe(false);
  });

  it('cannot be used where it cannot be opened, or is not alone', async () => {
    const broken = new File(['PK\u0003\u0004 and no more'], 'broken.zip');
    expect(told(await look([broken]), 'broken')?.what).toBe('broken.zip');
    expect(told(await look([new File(['words'], 'words.zip')]), 'broken')?.what).toBe('words.zip');
    const content = await look([await zipped(cells(4)), await zipped(cells(4))]);
    expect([told(content, 'severalZips')?.count, usable(content)]).toEqual([2, false]);
  });

  it('tells of each kind of file that is set aside', async () => {
    const content = await look([
      await zipped({
        ...cells(120),
        'loose.png': 'x',
        'Parasitized/Uninfected/both.png': 'y',
        'notes.txt': 'z',
        'Uninfected/words.doc': 'w',
        'Uninfected/blank.png': '',
        'retrain.json': '{}',
      }),
    ]);
    expect(Object.fromEntries(content.findings.map(({ fault, count }) => [fault, count]))).toEqual({
      loose: 1,
      twoClasses: 1,
      beside: 2,
      blank: 1,
      options: 1,
    });
    expect(usable(content)).toBe(true);
  });

  it('tells of copies and contradictions by their checksums', async () => {
    const content = await look([
      await zipped({
        ...cells(120),
        'Parasitized/again.png': 'picture 0',
        'Uninfected/other.png': 'picture 2',
      }),
    ]);
    expect(told(content, 'repeated')?.count).toBe(1);
    expect(told(content, 'contradiction')?.what).toBe('Uninfected/other.png');
  });

  it('tells where the gate will hardly have enough', async () => {
    expect(told(await look([await zipped(cells(40))]), 'few')).toEqual({
      fault: 'few',
      count: 40,
      what: '100',
    });
    const uneven = Object.fromEntries(
      Object.entries(cells(240)).filter(([name], at) => name.startsWith('Parasitized') || at < 20),
    );
    const content = await look([await zipped(uneven)]);
    expect(told(content, 'fewOfClass')?.what).toBe('Uninfected');
    const one = Object.fromEntries(
      Object.entries(cells(120)).map(([name, text]) => [name.replace(/C\d+P\d+/, 'C1P1'), text]),
    );
    expect(told(await look([await zipped(one)]), 'oneGroup')?.count).toBe(1);
  });

  it('knows patients by its table', async () => {
    const table = 'patient;file\nana;cell_0.png\nben;Uninfected/b.png\nnobody;gone.png\n';
    const content = await look([
      await zipped({
        'Parasitized/cell_0.png': '1',
        'Uninfected/b.png': '2',
        'Uninfected/c.png': '3',
        'patients.csv': table,
      }),
    ]);
    expect([content.tabled, content.patients, content.unknown]).toEqual([true, 2, 1]);
    expect(told(content, 'unmatched')?.count).toBe(1);
    const bad = await look([await zipped({ ...cells(120), 'patients.csv': 'who,what\n' })]);
    expect(told(bad, 'noTable')?.count).toBe(1);
  });
});

describe('who a cell came from', () => {
  it('is read off names as the server reads them', () => {
    expect(
      ['C33P1thinF_IMG_1.png', 'a/C6NThinF_2.png', 'C37BP2thinF.png', 'cell.png'].map(patientOf),
    ).toEqual(['C33P1', 'C6N', 'C37P2', null]);
    expect(fieldOf('a/x_IMG_7_cell_12.png')).toBe('x_IMG_7');
  });

  it('is read off a table with quotes, whichever the delimiter', () => {
    const table = readTable('\uFEFF"file",patient\r\n"a ""b"".png","p, 1"\r\n', ['Parasitized/a "b".png']);
    expect(table?.patients.get('Parasitized/a "b".png')).toBe('p, 1');
    expect(readTable('file\tpatient\nx.png\tp\n', ['x.png', 'y/x.png'])?.patients.size).toBe(1);
    expect(readTable('file,patient\nx.png,p\n', ['a/x.png', 'b/x.png'])?.unmatched).toBe(1);
  });
});

describe('what may be chosen', () => {
  it('has the limits of the server', () => {
    const { properties } = openapi.components.schemas.Body_retrain_retrain_post;
    for (const name of MEASURES)
      expect([properties[name].minimum, properties[name].maximum]).toEqual([
        LIMITS[name].min,
        LIMITS[name].max,
      ]);
    expect(properties.network.description).toContain(NETWORKS.join(', '));
    expect(openapi.components.schemas.Method.enum.toSorted()).toEqual([...METHODS].sort());
    expect(openapi.components.schemas.UploadRequest.properties.note.maxLength).toBe(MOST_NOTE);
  });

  it('tells the server only what was chosen', () => {
    expect(chosen(DEFAULTS)).toEqual({});
    const all = { ...DEFAULTS, epochs: 3, learning_rate: '0.001', network: 'compact_cnn', note: ' why ' };
    expect(chosen({ ...all, method: 'full' })).toEqual({
      method: 'full',
      epochs: 3,
      learning_rate: 0.001,
      network: 'compact_cnn',
      note: 'why',
    });
    expect(chosen({ ...all, method: 'adapt' })).toEqual({ method: 'adapt', note: 'why' });
  });

  it('is held to its limits', () => {
    expect(wrong({ ...DEFAULTS, epochs: 1.5 }, 'epochs')).toBe(true);
    expect(wrong({ ...DEFAULTS, learning_rate: 2 }, 'learning_rate')).toBe(true);
    expect(right({ ...DEFAULTS, batch_size: 513 })).toBe(false);
    expect(right({ ...DEFAULTS, batch_size: 512, epochs: 200, learning_rate: 1e-6 })).toBe(true);
  });
});

it('a sample is spread over all', () => {
  expect(spread([0, 1, 2, 3, 4, 5, 6, 7], 4)).toEqual([0, 2, 4, 6]);
  expect(spread([1, 2], 4)).toEqual([1, 2]);
});
