import { describe, expect, it } from 'vitest';
import { durationOf, formatOf, rounded } from './format';

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
    expect(formatOf('en').milliseconds(1.0982)).toBe('1.1 sec');
  });

  it('are no finer than a hundredth', () => {
    expect([0, 0.0049, 0.00909, 0.456, 8.124, 1234].map(formatOf('en').number)).toEqual([
      '0',
      '< 0.01',
      '0.01',
      '0.46',
      '8.12',
      '1,230',
    ]);
  });

  it('tell a length of time in its two largest units', () => {
    const { duration } = formatOf('en');
    expect([0, 59.6, 61, 3600, 90_061, 200_000].map(duration)).toEqual([
      '0 sec',
      '1 min',
      '1 min 1 sec',
      '1 hr',
      '1 day 1 hr',
      '2 days 7 hr',
    ]);
  });

  it('guess what is left no finer than a guess is worth, and never nothing', () => {
    const left = (seconds: number) => durationOf(rounded(seconds), 'en');
    expect([0, 2, 43, 90, 601, 742, 5000].map(left)).toEqual([
      '5 sec',
      '5 sec',
      '45 sec',
      '1 min 30 sec',
      '10 min',
      '12 min',
      '1 hr 25 min',
    ]);
  });

  it('stand with their interval', () => {
    expect(formatOf('en').interval(0.95, 0.893, 1)).toBe('95% (89.3% – 100%)');
  });
});
