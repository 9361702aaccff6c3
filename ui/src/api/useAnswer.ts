/** What the server answers to a GET, kept fresh while it is shown. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { ask } from './client';

export interface Answered<T> {
  /** The last answer; it stays when a later try fails. */
  data: T | null;
  /** Why the last try failed. */
  failure: unknown;
  /** Ask now. */
  again: () => void;
}

/** After a failure it is asked again no later than so many milliseconds. */
const SOON = 30_000;

/**
 * @param path null asks nothing.
 * @param every milliseconds between an answer and the next question; left out, it is asked once. A hidden tab waits.
 */
export function useAnswer<T>(path: string | null, every?: number): Answered<T> {
  const [state, setState] = useState<{ path: string | null; data: T | null; failure: unknown }>({
    path,
    data: null,
    failure: null,
  });
  const [round, setRound] = useState(0);
  const rounds = useRef(0);
  const again = useCallback(() => {
    rounds.current += 1;
    setRound(rounds.current);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a round is a reason to ask
  useEffect(() => {
    if (path === null) return;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      let wait = every;
      try {
        const data = await ask<T>(path, { signal: stop.signal });
        if (!stop.signal.aborted) setState({ path, data, failure: null });
      } catch (failure) {
        wait = every && Math.min(every, SOON);
        if (!stop.signal.aborted)
          setState((was) => ({ path, data: was.path === path ? was.data : null, failure }));
      }
      if (wait !== undefined && !stop.signal.aborted) timer = setTimeout(next, wait);
    };
    const next = () => {
      if (document.visibilityState === 'visible') void look();
      else timer = setTimeout(next, 1000);
    };
    void look();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [path, every, round]);
  const mine = state.path === path;
  return { data: mine ? state.data : null, failure: mine ? state.failure : null, again };
}
