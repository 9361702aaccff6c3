import { describe, expect, it } from 'vitest';
import type { UploadNeeds } from '../api/types';
import { lotOf, reachOf, toBeSure, toDecide } from './enough';
import type { Held } from './groups';
import type { Class } from './labelledZip';

/** What a server wants by its defaults. */
const needs: UploadNeeds = {
  learnt_each: 5,
  judged_cells: 20,
  judged_each: 5,
  judged_groups: 2,
  judged_share: 0.2,
};
/** Over so many patients, infected ones among them; each cell by itself where none are told. */
function reach(
  parasitized: number,
  uninfected: number,
  patients = parasitized + uninfected,
  infected = patients,
) {
  const groups = Array.from({ length: patients }, () => ({ parasitized: 0, uninfected: 0 }));
  const put = (kind: Class, cells: number, most: number) => {
    for (let at = 0; at < cells; at += 1) (groups[at % most] as Held)[kind] += 1;
  };
  put('parasitized', parasitized, infected);
  groups.reverse();
  put('uninfected', uninfected, patients);
  return reachOf(groups, needs);
}

describe('how many cells to label', () => {
  it('follows from what the server wants, twice over', () => {
    expect(toDecide(needs)).toEqual({ cells: 100, each: 25, groups: 10, least: 4 });
    expect(toBeSure(needs)).toEqual({ lot: 200, safe: 50 });
    expect(lotOf({ ...needs, judged_cells: 4 })).toBe(40);
  });

  it('is as by the defaults where the server does not say', () => expect(lotOf(null)).toBe(lotOf(needs)));
});

describe('what labels would come to', () => {
  it('is nothing while one kind is rare', () => expect(reach(6, 190)).toBe('learn'));
  it('is no decision while there are few, in all or of one kind', () => {
    expect([reach(25, 25), reach(49, 50), reach(24, 170)]).toEqual(['decide', 'decide', 'decide']);
  });
  it('is chance until there are twice as many', () => {
    expect([reach(50, 50), reach(99, 100), reach(40, 160)]).toEqual(['chance', 'chance', 'chance']);
    expect(reach(50, 150)).toBe('enough');
  });
  it('is no decision by few patients, where they are known', () => {
    expect([reach(100, 100, 3), reach(100, 100, 4), reach(100, 100)]).toEqual([
      'patients',
      'enough',
      'enough',
    ]);
  });
  it('is no decision where one patient alone holds a kind, or nearly all of it', () => {
    expect([reach(100, 100, 10, 1), reach(100, 100, 10, 2)]).toEqual(['patients', 'enough']);
    const of = (...cells: [number, number][]) =>
      reachOf(
        cells.map(([parasitized, uninfected]) => ({ parasitized, uninfected })),
        needs,
      );
    expect(of([100, 4], [50, 0], [50, 0], [0, 96])).toBe('patients');
    expect(of([96, 50], [2, 50], [2, 50], [0, 50])).toBe('patients');
    expect(of([95, 50], [3, 50], [2, 50], [0, 50])).toBe('enough');
  });
  it('is no decision by one field', () => expect(reach(100, 100, 1)).toBe('patients'));
});
