// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fetching, persist } from './lasting';

const away = () => new TypeError('Failed to fetch dynamically imported module: /assets/x.js');

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** What fails so many times, and comes then. */
const flaky = (times: number) => {
  let left = times;
  return vi.fn(async () => {
    left -= 1;
    if (left >= 0) throw away();
    return 'here';
  });
};

describe('a part of the page that cannot be fetched', () => {
  it('is asked for again by itself', async () => {
    const load = flaky(2);
    const coming = persist('x', load);
    await vi.advanceTimersByTimeAsync(4_000);
    expect([load.mock.calls.length, fetching.waits()]).toEqual([1, true]);
    await vi.advanceTimersByTimeAsync(8_000);
    expect(await coming).toBe('here');
    expect([load.mock.calls.length, fetching.waits()]).toEqual([3, false]);
  });

  it.each([
    ['a person wants so', () => fetching.again()],
    ['the connection is back', () => window.dispatchEvent(new Event('online'))],
  ])('is asked for at once where %s, and those who show it are told', async (_, wake) => {
    const told: boolean[] = [];
    const leave = fetching.subscribe(() => told.push(fetching.waits()));
    const coming = persist('x', flaky(1));
    await vi.advanceTimersByTimeAsync(0);
    wake();
    expect(await coming).toBe('here');
    expect(told).toEqual([true, false]);
    leave();
  });

  it('is not asked for again where the part itself is broken', async () => {
    await expect(
      persist('x', async () => {
        throw new ReferenceError('x is not defined');
      }),
    ).rejects.toThrow('x is not defined');
  });
});
