/** What is about to be sent, and what is on its way. It outlives a change of screen. */

import { pause } from '../api/client';
import { Failure } from '../api/failure';
import { handIn, ticketFor, token } from '../api/training';
import type { Chosen, UploadTicket } from '../api/types';
import { askBeforeLeaving } from '../parts/leaving';
import { type Content, look } from './content';
import { pack } from './pack';

export type Sending =
  | { step: 'packing' | 'sending' | 'waiting'; share: number }
  | { step: 'failed'; error: unknown }
  /** job: null where it is not known yet. */
  | { step: 'done'; job: string | null };
export type Desk =
  | { kind: 'empty' }
  | { kind: 'looking' }
  /** What was brought cannot be looked through now. */
  | { kind: 'unread'; error: unknown; files: readonly File[] }
  | { kind: 'ready'; content: Content }
  | { kind: 'sending'; content: Content; at: Sending };

const TRIES = 4;
const listeners = new Set<() => void>();
let state: Desk = { kind: 'empty' };
let stop = new AbortController();
/** What a second try goes on with, so that one upload begins one job. */
let kept: { token: string; chosen: Chosen; zip: Blob | null; ticket: UploadTicket | null } | null = null;

function become(next: Desk): void {
  state = next;
  for (const listener of listeners) listener();
}

export const desk = {
  current: (): Desk => state,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  /** Look through what a person has brought. Nothing is sent. */
  async bring(files: readonly File[]): Promise<void> {
    if (files.length === 0) return;
    desk.clear();
    const mine = stop;
    become({ kind: 'looking' });
    let next: Desk;
    try {
      next = { kind: 'ready', content: await look(files) };
    } catch (error) {
      next = { kind: 'unread', error, files };
    }
    if (mine === stop) become(next);
  },
  clear(): void {
    stop.abort(new DOMException('put away', 'AbortError'));
    stop = new AbortController();
    kept = null;
    become({ kind: 'empty' });
  },
  /** Send it. A second call after a failure goes on where that stood. */
  async send(chosen: Chosen): Promise<void> {
    if (state.kind !== 'ready' && state.kind !== 'sending') return;
    const { content } = state;
    const { signal } = stop;
    if (!kept || JSON.stringify(kept.chosen) !== JSON.stringify(chosen))
      kept = { token: token(), chosen, zip: kept?.zip ?? content.zip, ticket: null };
    const tell = (at: Sending) => {
      if (!signal.aborted) become({ kind: 'sending', content, at });
    };
    try {
      tell({ step: 'done', job: await sent(content, kept, tell, signal) });
    } catch (error) {
      tell({ step: 'failed', error });
    }
  },
  /** Back to what was looked through, to change it or to send it again. */
  back(): void {
    if (state.kind !== 'sending') return;
    const { content } = state;
    stop.abort(new DOMException('stopped', 'AbortError'));
    stop = new AbortController();
    become({ kind: 'ready', content });
  },
};

async function sent(
  content: Content,
  hold: NonNullable<typeof kept>,
  tell: (at: Sending) => void,
  signal: AbortSignal,
): Promise<string | null> {
  tell({ step: hold.zip ? 'sending' : 'packing', share: 0 });
  hold.zip ??= await pack(content.files, (share) => tell({ step: 'packing', share }), signal);
  const what = {
    name: content.name,
    zip: hold.zip,
    chosen: hold.chosen,
    token: hold.token,
    signal,
    onProgress: (share: number) => tell({ step: share < 1 ? 'sending' : 'waiting', share }),
  };
  for (let attempt = 1; ; attempt += 1) {
    tell({ step: 'sending', share: 0 });
    try {
      hold.ticket ??= await ticketFor(what);
      return await handIn(what, hold.ticket);
    } catch (error) {
      if (error instanceof Failure && error.status === 409) hold.ticket = null; // its form has ended
      if (!(error instanceof Failure) || !error.passing || attempt >= TRIES) throw error;
      await pause(1000 * 2 ** attempt, signal);
    }
  }
}

askBeforeLeaving(() => state.kind === 'sending' && state.at.step !== 'done');
