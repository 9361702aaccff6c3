import { describe, expect, it } from 'vitest';
import { rate } from './interval';

const rounded = (hits: number, total: number) => {
  const found = rate(hits, total);
  return found && [found.low, found.high].map((bound) => Math.round(bound * 1000) / 1000);
};

describe('the interval of a rate', () => {
  it("is Wilson's", () => {
    expect(rounded(8, 10)).toEqual([0.49, 0.943]); // as published tables have it
    expect(rounded(81, 263)).toEqual([0.255, 0.366]); // Newcombe 1998, table I
    expect(rounded(15, 148)).toEqual([0.062, 0.16]);
    expect(rounded(0, 20)).toEqual([0, 0.161]);
    expect(rounded(1, 29)).toEqual([0.006, 0.172]);
  });

  it('never says that a few cells are sure', () => {
    const all = rate(5, 5);
    expect(all?.value).toBe(1);
    expect(all?.low).toBeLessThan(0.6);
    expect(all?.high).toBe(1);
  });

  it('is none where there is no cell', () => expect(rate(0, 0)).toBeNull());
});
