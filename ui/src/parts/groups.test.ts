import { describe, expect, it } from 'vitest';
import { groupsOf } from './groups';
import type { Class, Labelled } from './labelledZip';

const cell = (name: string, label: Class = 'uninfected', patient = '', slide = ''): Labelled => ({
  name,
  picture: new Blob(),
  label,
  patient,
  slide,
});

describe('groups', () => {
  it('are the patients, however they are written, with what each holds', () => {
    const cells = [
      cell('a/1.png', 'parasitized', 'Ana B'),
      cell('b/1.png', 'uninfected', 'ana  b '),
      cell('c/1.png', 'uninfected', 'Ben'),
    ];
    expect(groupsOf(cells)).toEqual([
      { parasitized: 1, uninfected: 1 },
      { parasitized: 0, uninfected: 1 },
    ]);
  });
  it('are the patients whom file names tell, on whichever slide', () => {
    const names = [
      'C37AP2thinF_IMG_1_cell_1.png',
      'c37bp2thinF_IMG_9_cell_4.png',
      'C6NThinF_IMG_1_cell_1.png',
    ];
    expect(groupsOf(names.map((name) => cell(`smear/${name}`)))).toHaveLength(2);
  });
  it('are the fields that file names tell where no patient is known', () => {
    const field = Array.from({ length: 200 }, (_, at) => cell(`smear/field_7_cell_${at}.png`));
    expect(groupsOf(field)).toEqual([{ parasitized: 0, uninfected: 200 }]);
    expect(groupsOf([...field, cell('field-8-cell-1.png')])).toHaveLength(2);
  });
  it('are the slides that were told', () =>
    expect(
      groupsOf([1, 2, 3].map((at) => cell(`${at}.png`, 'uninfected', '', at < 3 ? 'A' : 'B'))),
    ).toHaveLength(2));
  it('are the cells themselves where names tell nothing, also two of one name', () => {
    const names = ['cell-1.png', 'cell_2.png', 'a/7.png', 'b/7.png', 'cellular.png'];
    expect(groupsOf(names.map((name) => cell(name)))).toHaveLength(5);
  });
});
