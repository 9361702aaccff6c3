import { describe, expect, it } from 'vitest';
import { type Candidate, choose, type Offered } from './choose';
import { featuresOf } from './describe';
import { spread } from './rows';

function one(
  id: string,
  distance: number,
  place: number[] | null,
  given: Partial<Candidate> = {},
): Candidate {
  return { id, distance, features: place, called: 'uninfected', ...given };
}
const ids = (offered: Offered[]) => offered.map(({ id }) => id);

describe('the choice of cells to label', () => {
  it('takes in turn the least sure and the most unlike', () => {
    const cells = [
      one('sure, like', 9, [0, 0]),
      one('doubtful', 0.1, [0, 0.1]),
      one('doubtful too', 0.2, [0, 0.2]),
      one('sure, far', 8, [10, 10]),
    ];
    expect(choose(cells, 4)).toEqual([
      { id: 'doubtful', why: 'unsure' },
      { id: 'sure, far', why: 'different' },
      { id: 'doubtful too', why: 'unsure' },
      { id: 'sure, like', why: 'different' },
    ]);
  });

  it('takes one of each cluster before a second one of any', () => {
    const clusters = [0, 10, 20, 30].flatMap((at) =>
      [0, 1, 2].map((n) => one(`${at}-${n}`, at, [at + n / 10, 0])),
    );
    const found = ids(choose(clusters, 6)).map((id) => id.split('-')[0]);
    expect(found.filter((cluster) => cluster === '0')).toHaveLength(3); // the least sure ones
    expect(new Set(found).size).toBe(4);
  });

  it('weighs features alike, whatever their units', () => {
    const cells = [one('start', 0, [0, 0]), one('large unit', 9, [1000, 0]), one('small unit', 9, [600, 1])];
    expect(ids(choose(cells, 2))).toEqual(['start', 'small unit']);
  });

  it('sees to both classes, where the model calls both', () => {
    const many = Array.from({ length: 40 }, (_, n) => one(`u${n}`, n / 100, [n, 0]));
    const few = Array.from({ length: 5 }, (_, n) => one(`p${n}`, 9, [n, 1], { called: 'parasitized' }));
    expect(ids(choose([...many, ...few], 12)).filter((id) => id.startsWith('p'))).toHaveLength(5);
  });

  it('goes on from what was offered before, and never twice to one', () => {
    const cells = Array.from({ length: 30 }, (_, n) => one(`${n}`, n, [n % 7, n % 5]));
    const first = choose(cells, 20);
    const second = choose(cells, 20, first);
    expect(second).toHaveLength(10);
    expect(new Set(ids([...first, ...second])).size).toBe(30);
  });

  it('takes what the browser cannot see last', () => {
    const cells = [one('a', 1, [0]), one('unseen', 2, null), one('b', 3, [5])];
    expect(ids(choose(cells, 2))).toEqual(['a', 'b']);
  });

  it('gives nothing of nothing', () => expect(choose([], 50)).toEqual([]));
});

describe('the features of a picture', () => {
  const picture = (paint: (x: number, y: number) => number[]) =>
    Array.from({ length: 64 }, (_, at) => [...paint(at % 8, Math.floor(at / 8)), 255]).flat();
  it('tell a stain by its colour and a dark spot by the darkest green', () => {
    const pale = featuresOf(
      picture(() => [220, 180, 190]),
      8,
    );
    const spotted = featuresOf(
      picture((x, y) => (x === 3 && y < 5 ? [120, 40, 130] : [220, 180, 190])),
      8,
    );
    expect(pale).toEqual([220, 180, 190, 0, 0, 0, 180, 0]);
    expect(spotted[6]).toBe(40);
    expect(spotted[7]).toBeGreaterThan(10);
  });
});

describe('a large folder', () => {
  it('is taken from evenly', () => {
    const taken = spread(
      Array.from({ length: 1000 }, (_, n) => n),
      10,
    );
    expect(taken).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
    expect(spread([1, 2], 10)).toEqual([1, 2]);
  });
});
