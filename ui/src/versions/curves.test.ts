import { describe, expect, it } from 'vitest';
import type { ModelSummary, SetCurves } from '../api/types';
import { endsOf, median, ratesOf, reliabilityOf, rocOf } from './curves';
import { chainOf, servedBefore, setsOf } from './sets';

const curve = (given: Partial<SetCurves>): SetCurves => ({
  cells: 10,
  threshold: 0.5,
  roc: [],
  reliability: [],
  patients: [],
  ...given,
});
const at = (x: number, y: number) => ({ threshold: null, false_positive_rate: x, sensitivity: y });

describe('curves', () => {
  it('of two versions share one axis, each climbing where it stands still', () => {
    const rows = rocOf([
      curve({ roc: [at(0, 0), at(0, 0.5), at(1, 1)] }),
      curve({ roc: [at(0, 0), at(0.5, 1)] }),
    ]);
    expect(rows.map((row) => [row.x, row.a ?? null, row.b ?? null])).toEqual([
      [0, 0, null],
      [0, null, 0],
      [0, 0.5, null],
      [0.5, null, 1],
      [1, 1, null],
    ]);
  });

  it('of reliability come with the diagonal', () => {
    const rows = reliabilityOf([
      curve({ reliability: [{ low: 0.9, high: 1, cells: 3, said: 0.95, seen: 0.9 }] }),
    ]);
    expect(rows).toEqual([
      { x: 0, ideal: 0 },
      { x: 0.95, a: 0.9 },
      { x: 1, ideal: 1 },
    ]);
  });

  it('of patients leave out those with few cells', () => {
    const patients = [
      { parasitized: 10, found: 9, uninfected: 0, called: 0 },
      { parasitized: 20, found: 10, uninfected: 10, called: 1 },
      { parasitized: 9, found: 0, uninfected: 9, called: 9 },
    ];
    expect(ratesOf(curve({ patients }), 'sensitivity')).toEqual([0.5, 0.9]);
    expect(ratesOf(curve({ patients }), 'falsePositives')).toEqual([0.1]);
    expect([endsOf([0.5, 0.9], 'sensitivity'), endsOf([0.43, 0.9], 'sensitivity')]).toEqual([
      [0.5, 1],
      [0.4, 1],
    ]);
    expect(endsOf([0.1, 0.61], 'falsePositives')).toEqual([0, 0.7]);
    expect([median([1, 2, 4]), median([1, 3])]).toEqual([2, 2]);
  });
});

describe('versions', () => {
  const version = (name: string, given: object) =>
    ({
      version: name,
      lineage: {},
      metrics: {},
      promoted: [],
      served: false,
      ...given,
    }) as unknown as ModelSummary;

  it('are followed to the first of their line, and a circle comes to an end', () => {
    const all = [
      version('c', { lineage: { parent: 'b' } }),
      version('b', { lineage: { parent: 'a' } }),
      version('a', { lineage: { parent: 'b' } }),
    ];
    expect(chainOf(all[0] as ModelSummary, all).map((one) => one.version)).toEqual(['c', 'b', 'a']);
  });

  it('have sets of cells, the gate first', () => {
    const scored = { confusion: {} };
    const told = version('a', {
      metrics: { 'validation:x': scored, validation: scored, gate: scored, note: 'no set' },
    });
    expect(setsOf([told])).toEqual(['gate', 'validation', 'validation:x']);
  });

  it('may be gone back to where they were served before, the last first', () => {
    const all = [
      version('now', { served: true, promoted: ['2026-03-01'] }),
      version('old', { promoted: ['2026-01-01'] }),
      version('never', {}),
      version('last', { promoted: ['2026-02-01'] }),
    ];
    expect(servedBefore(all).map((one) => one.version)).toEqual(['last', 'old']);
  });
});
