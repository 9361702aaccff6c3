// @vitest-environment happy-dom
import { act, cleanup, renderHook } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import * as client from './client';
import { Failure } from './failure';
import { useAnswer } from './useAnswer';

const MINUTES = 60_000;

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

it('asks again when it is time, and sooner where there was no answer', async () => {
  const ask = vi.spyOn(client, 'ask');
  ask.mockRejectedValueOnce(new Failure('unreachable')).mockResolvedValue('figures');
  const { result } = renderHook(() => useAnswer('/metrics/summary', 5 * MINUTES));
  const after = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
  await after(0);
  expect(result.current.failure).toBeInstanceOf(Failure);
  await after(MINUTES / 2);
  expect(result.current).toMatchObject({ data: 'figures', failure: null });
  await after(4 * MINUTES);
  expect(ask).toHaveBeenCalledTimes(2);
  await after(MINUTES);
  expect(ask).toHaveBeenCalledTimes(3);
});
