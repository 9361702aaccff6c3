/**
 * Parts of the page that wait for the server where it is away: they are asked for again, by itself and when a person wants
 * so. React's own `lazy` would keep the first failure until the page is loaded anew, and with that what a person has
 * brought is lost.
 */
import { type ComponentType, type LazyExoticComponent, lazy } from 'react';
import { Failure } from '../api/failure';
import { part } from './part';

const WAIT = 5_000;

const listeners = new Set<() => void>();
const waking = new Set<() => void>();

function changed(): void {
  for (const listener of listeners) listener();
}

export const fetching = {
  /** Whether a part waits to be asked for again. */
  waits: (): boolean => waking.size > 0,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  /** Ask at once. */
  again(): void {
    for (const wake of [...waking]) wake();
  },
};

/** As React's `lazy`. name: as of `part`. */
// biome-ignore lint/suspicious/noExplicitAny: as React has it, whose inference needs it
export function lasting<T extends ComponentType<any>>(
  name: string,
  load: () => Promise<{ default: T }>,
): LazyExoticComponent<T> {
  return lazy(() => persist(name, load));
}

/** What `load` fetches, however often it takes. Throws what is no failure to fetch. */
export async function persist<T>(name: string, load: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await part(name, load);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
    await pause();
  }
}

function pause(): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(wake, WAIT);
    function wake(): void {
      clearTimeout(timer);
      window.removeEventListener('online', wake);
      waking.delete(wake);
      done();
      changed();
    }
    window.addEventListener('online', wake);
    waking.add(wake);
    changed();
  });
}
