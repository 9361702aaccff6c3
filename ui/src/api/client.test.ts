// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ask, backOff } from './client';
import { Failure } from './failure';
import { keys } from './key';

const problem = (status: number, code = 'busy') =>
  new Response(JSON.stringify({ code, status, title: 't', detail: 'd', request_id: 'r' }), {
    status,
    headers: { 'content-type': 'application/problem+json' },
  });
const good = () => new Response('{"ok":true}');

function server(...answers: (Response | Error | 'silence')[]) {
  const fetch = vi.fn((_: string, how: RequestInit): Promise<Response> => {
    const next = answers.shift() ?? new Error('asked too often');
    if (next === 'silence') {
      return new Promise((_resolve, reject) => {
        how.signal?.addEventListener('abort', () => reject(how.signal?.reason));
      });
    }
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
  });
  vi.stubGlobal('fetch', fetch);
  return fetch;
}

async function failure(asking: Promise<unknown>): Promise<Failure> {
  const error = await asking.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Failure);
  return error as Failure;
}

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true, advanceTimeDelta: 500 });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  keys.forget();
});

describe('asking', () => {
  it('comes back after an error that passes, where asking again is safe', async () => {
    const fetch = server(new TypeError('no network'), problem(503), good());
    expect(await ask('/health')).toEqual({ ok: true });
    expect(fetch).toHaveBeenCalledTimes(3);
  });

  it('does not repeat what changes something', async () => {
    const fetch = server(problem(503));
    expect((await failure(ask('/feedback', { method: 'POST', body: '{}' }))).status).toBe(503);
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it('does not repeat what the server finds wrong', async () => {
    const fetch = server(problem(422, 'unreadable-image'));
    const told = await failure(ask('/predict', { method: 'POST', tries: 4 }));
    expect(told.problem?.code).toBe('unreadable-image');
    expect(told.passing).toBe(false);
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it('gives up after its tries', async () => {
    const fetch = server(...Array.from({ length: 4 }, () => problem(500)));
    await failure(ask('/status'));
    expect(fetch).toHaveBeenCalledTimes(4);
  });

  it('ends though the server says nothing', async () => {
    vi.useRealTimers();
    server('silence');
    const told = await failure(ask('/health', { tries: 1, timeout: 20 }));
    expect(told.kind).toBe('timeout');
  });

  it('reads an error page of a proxy by its status', async () => {
    server(new Response('<h1>Bad gateway</h1>', { status: 502 }));
    const told = await failure(ask('/health', { tries: 1 }));
    expect([told.status, told.problem?.code, told.passing]).toEqual([502, 'http-502', true]);
  });

  it('ends where it is aborted, also while it waits', async () => {
    const control = new AbortController();
    server(problem(503), good());
    const asking = ask('/health', { signal: control.signal });
    control.abort(new Error('enough'));
    await expect(asking).rejects.toThrow('enough');
  });
});

describe('the key', () => {
  it('is asked for once, and what was refused is sent again with it', async () => {
    const fetch = server(problem(401), problem(401), good(), good());
    const both = Promise.all([ask('/models'), ask('/status')]);
    await vi.waitFor(() => expect(keys.wanted()).toBe(true));
    await vi.waitFor(() => expect(fetch).toHaveBeenCalledTimes(2));
    keys.give(' secret ');
    expect(await both).toEqual([{ ok: true }, { ok: true }]);
    const [, how] = fetch.mock.calls.at(-1) ?? [];
    expect(how?.headers).toMatchObject({ Authorization: 'Bearer secret' });
    expect(sessionStorage.getItem('malaria.key')).toBe('secret');
    expect(Object.keys(localStorage)).not.toContain('malaria.key');
  });

  it('may be declined, and then the refusal is told', async () => {
    server(problem(401, 'unauthorized'));
    const asking = failure(ask('/models'));
    await vi.waitFor(() => expect(keys.wanted()).toBe(true));
    keys.decline();
    expect((await asking).status).toBe(401);
  });
});

describe('backing off', () => {
  it('doubles up to a bound, and is scattered', () => {
    const waits = [1, 2, 3, 9].map((attempt) => backOff(attempt, null, () => 0.5));
    expect(waits).toEqual([500, 1000, 2000, 8000]);
    expect(backOff(1, null, () => 0)).toBeLessThan(backOff(1, null, () => 1));
  });
  it('waits as long as the server asks', () => expect(backOff(1, 5)).toBe(5000));
});
