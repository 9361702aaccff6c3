import { describe, expect, it } from 'vitest';
import { arrange, countOf, rowsOf, step } from './arrange';
import { toCsv, toJson } from './exports';
import { answer, cell } from './made';
import { summarise } from './summary';

const NOTICE = 'Research use only.';
const cells = () => [
  cell(0, { answer: answer(0.999) }),
  cell(1, { answer: answer(0.6, { needsReview: true, review: { code: 'uncertain', text: 'u' } }) }),
  cell(2, { answer: answer(0.01) }),
  cell(3, { answer: answer(0.2) }),
  cell(4, { answer: answer(null, { needsReview: true, review: { code: 'no-cell', text: 'n' } }) }),
  cell(5, { trouble: { code: 'unreadable-image', text: 'no picture' } }),
  cell(6),
];

describe('the order of the grid', () => {
  it('is by class, the most uncertain first', () => {
    const order = arrange(cells(), 'all').map(({ group, cells: held }) => [group, held.map(({ id }) => id)]);
    expect(order).toEqual([
      ['parasitized', [1, 0]],
      ['uninfected', [3, 2]],
      ['noCell', [4]],
      ['unreadable', [5]],
      ['waiting', [6]],
    ]);
  });

  it('measures doubt from the operating point, not from one half', () => {
    const moved = [0.5, 0.9, 0.1].map((p, id) =>
      cell(id, { answer: answer(p, { threshold: 0.9, prediction: 'Parasitized' }) }),
    );
    expect(arrange(moved, 'all')[0]?.cells.map(({ id }) => id)).toEqual([1, 0, 2]);
  });

  it('does not change when a person judges', () => {
    const held = cells();
    const before = arrange(held, 'all');
    for (const one of held) one.decision = 'excluded';
    expect(arrange(held, 'all')).toEqual(before);
  });

  it('shows what a filter lets pass', () => {
    const held = cells();
    const [, second] = held;
    if (second) second.decision = 'uninfected';
    expect(countOf(held, 'review')).toBe(2);
    expect(countOf(held, 'decided')).toBe(1);
    expect(countOf(held, 'unreadable')).toBe(1);
    expect(arrange(held, 'uninfected').flatMap((section) => section.cells.map(({ id }) => id))).toEqual([
      1, 3, 2,
    ]);
  });
});

describe('the arrows', () => {
  const held = Array.from({ length: 7 }, (_, id) =>
    cell(id, { answer: answer(id < 4 ? 0.9 + id / 100 : 0.1 - id / 100) }),
  );
  const rows = rowsOf(arrange(held, 'all'), 3); // 0 1 2 / 3 // 4 5 6

  it.each([
    [null, 'down', 0],
    [0, 'left', 0],
    [2, 'right', 3],
    [1, 'down', 3],
    [3, 'down', 4],
    [5, 'up', 3],
    [6, 'right', 6],
    [6, 'down', 6],
    [2, 'last', 6],
    [5, 'first', 0],
  ] as const)('from %s %s to %s', (from, to, at) => expect(step(rows, from, to)?.id).toBe(at));

  it('start anew where the chosen cell is filtered away', () => expect(step(rows, 99, 'right')?.id).toBe(0));
  it('lead nowhere in an empty grid', () => expect(step([], null, 'down')).toBeNull());
});

describe('the summary', () => {
  it('counts each cell once', () => {
    const { counts, total, judged } = summarise(cells());
    expect(counts).toEqual({ infected: 1, clear: 2, review: 2, excluded: 0, unreadable: 1, waiting: 1 });
    expect(Object.values(counts).reduce((a, b) => a + b)).toBe(total);
    expect(judged).toBe(3);
  });

  it('takes the word of a person', () => {
    const held = cells();
    for (const id of [0, 1, 4]) Object.assign(held[id] ?? {}, { decision: 'uninfected' });
    const told = summarise(held);
    expect(told.counts).toMatchObject({ infected: 0, clear: 5, review: 0 });
    expect(told.decided).toBe(3);
  });

  it('tells why files are unreadable, and what those to review were called', () => {
    const told = summarise([...cells(), cell(7, { trouble: { code: 'unreadable-image', text: 'x' } })]);
    expect(told.reasons).toEqual([{ code: 'unreadable-image', text: 'no picture', count: 2 }]);
    expect(told.reviewed).toEqual({ parasitized: 1, noCell: 1 });
  });
});

describe('what is taken away', () => {
  it('is a table with the notice first and a line for each cell', () => {
    const lines = toCsv(cells(), NOTICE).split('\r\n');
    expect(lines[0]).toBe('\ufeff# Research use only.');
    expect(lines[1]?.split(',').slice(0, 4)).toEqual([
      'index',
      'filename',
      'prediction',
      'probability_parasitized',
    ]);
    expect(lines).toHaveLength(2 + 7 + 1);
    expect(lines[2]).toContain('cell-0.png,Parasitized,0.999,0.5,false');
  });

  it('quotes what would break the table, and disarms formulas', () => {
    const text = toCsv([cell(0, { name: '=cmd("x"),1.png' })], NOTICE);
    expect(text).toContain(`0,"'=cmd(""x""),1.png",`);
  });

  it('is JSON with the notice, the summary and the cells', () => {
    const told = JSON.parse(toJson(cells(), NOTICE, new Date(0)));
    expect(told).toMatchObject({
      notice: NOTICE,
      exported: '1970-01-01T00:00:00.000Z',
      model_versions: ['v1'],
    });
    expect(told.summary).toMatchObject({ total: 7, infected: 1, review: 2 });
    expect(told.cells[1]).toMatchObject({ index: 1, review_code: 'uncertain', counts_as: 'review' });
  });
});
