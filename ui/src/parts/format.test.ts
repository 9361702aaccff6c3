import { describe, expect, it } from 'vitest';
import { formatOf } from './format';

describe('numbers', () => {
  it('never say that a probability is sure', () => {
    const { probability } = formatOf('en');
    expect([1, 0.99951, 0.983, 0.5, 0.0004, 0].map(probability)).toEqual([
      '> 99.9%',
      '> 99.9%',
      '98.3%',
      '50%',
      '< 0.1%',
      '< 0.1%',
    ]);
  });

  it('are written as the language writes them', () => {
    expect(formatOf('fr').probability(0.983)).toMatch(/^98,3\s%$/);
    expect(formatOf('en').bytes(20_500)).toBe('20.5 kB');
    expect(formatOf('en').milliseconds(0.0123)).toBe('12.3 ms');
  });
});
