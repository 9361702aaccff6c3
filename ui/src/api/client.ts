/** How the page asks the server: never without an end, again where that is safe, and with the key. */
import { Failure, told } from './failure';
import { keys } from './key';

export interface Ask {
  method?: 'GET' | 'POST' | 'DELETE';
  body?: FormData | string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Milliseconds for one try. */
  timeout?: number;
  /** Tries in all. Left out: four for GET, one for what changes something. */
  tries?: number;
}

const TIMEOUT = 20_000;
const LONGEST = 8_000;

/** An answer's body as JSON. Throws Failure, or the signal's reason where it was aborted. */
export async function ask<T>(path: string, how: Ask = {}): Promise<T> {
  const response = await answered(path, how);
  try {
    return (await response.json()) as T;
  } catch {
    throw new Failure('nonsense');
  }
}

/** As `ask`, of a file. */
export async function download(path: string, how: Ask = {}): Promise<Blob> {
  return (await answered(path, how)).blob();
}

async function answered(path: string, how: Ask): Promise<Response> {
  const tries = how.tries ?? ((how.method ?? 'GET') === 'GET' ? 4 : 1);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once(path, how);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.status === 401 && (await keys.ask())) {
        attempt -= 1; // not the server's fault: a new key, a new try
        continue;
      }
      if (!error.passing || attempt >= tries) throw error;
      await pause(backOff(attempt, error.after), how.signal);
    }
  }
}

/** Milliseconds before the next try: doubling, scattered so that many pages do not come back at once. */
export function backOff(attempt: number, after: number | null, random: () => number = Math.random): number {
  const least = (after ?? 0) * 1000;
  return Math.max(least, Math.min(LONGEST, 500 * 2 ** (attempt - 1)) * (0.75 + random() / 2));
}

async function once(path: string, how: Ask): Promise<Response> {
  const limit = AbortSignal.timeout(how.timeout ?? TIMEOUT);
  const signal = how.signal ? AbortSignal.any([how.signal, limit]) : limit;
  const key = keys.current();
  let response: Response;
  try {
    response = await fetch(path, {
      method: how.method ?? 'GET',
      body: how.body ?? null,
      headers: {
        Accept: 'application/json',
        ...how.headers,
        ...(key ? { Authorization: `Bearer ${key}` } : {}),
      },
      signal,
      credentials: 'same-origin',
    });
  } catch (error) {
    if (how.signal?.aborted) throw how.signal.reason;
    if (limit.aborted) throw new Failure('timeout');
    if (error instanceof TypeError) throw new Failure('unreachable');
    throw error;
  }
  if (!response.ok) throw await told(response);
  return response;
}

/** Wait. Throws the signal's reason where it is aborted meanwhile. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const timer = setTimeout(done, ms);
    function done(): void {
      signal?.removeEventListener('abort', stop);
      resolve();
    }
    function stop(): void {
      clearTimeout(timer);
      reject(signal?.reason);
    }
    signal?.addEventListener('abort', stop, { once: true });
  });
}
