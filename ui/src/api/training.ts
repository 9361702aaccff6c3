/** The questions about retrainings. */
import { ask, pause } from './client';
import { Failure } from './failure';
import { send } from './send';
import type { Accepted, Chosen, TaskBrief, UploadState, UploadTicket } from './types';

/** Serverless platforms take 6 MB in one request; a larger ZIP goes where the server says. */
const SMALL = 4_000_000;
/** How often a job is looked at, in milliseconds. */
export const LOOK_EVERY = 2_000;
const LOOKS = 150;
const SENDING = 15 * 60_000;

export interface Handing {
  name: string;
  zip: Blob;
  chosen: Chosen;
  /** The same for every try, so that one upload begins one job, however often it is sent. */
  token: string;
  signal: AbortSignal;
  /** 0 to 1. */
  onProgress: (share: number) => void;
}

/** Hand a ZIP in, and return the id of its job; null where it has come, and its job is not known yet. */
export async function handIn(what: Handing, ticket: UploadTicket | null): Promise<string | null> {
  const form = new FormData();
  if (!ticket) {
    for (const [name, value] of Object.entries(what.chosen)) form.append(name, String(value));
    return sent(what, '/retrain', form, { 'Idempotency-Key': what.token });
  }
  for (const [name, value] of Object.entries(ticket.fields)) form.append(name, value);
  return (await sent(what, ticket.url, form)) ?? taskOf(ticket, what.signal);
}

/** Where to send a ZIP that is too large for one request; null where it is not. Throws where it is too large for any. */
export async function ticketFor(what: Handing): Promise<UploadTicket | null> {
  if (what.zip.size <= SMALL) return null;
  const ticket = await ask<UploadTicket>('/uploads', {
    method: 'POST',
    body: JSON.stringify({ name: what.name, ...what.chosen }),
    headers: { 'Content-Type': 'application/json' },
    signal: what.signal,
    tries: 3, // a ticket that nobody uses costs nothing
  });
  if (what.zip.size > ticket.max_bytes) throw new TooLarge(ticket.max_bytes);
  return ticket;
}

export interface Adapting {
  name: string;
  zip: Blob;
  note: string;
  /** The same key, ZIP and note again are the same job, so a page that was closed in the middle loses nothing. */
  key?: string;
}

/** Hand a ZIP in for `adapt`; the id of its job. */
export async function sendForAdapting({ name, zip, note, key }: Adapting): Promise<string> {
  const what: Handing = {
    name,
    zip,
    chosen: { method: 'adapt', note },
    token: key ?? token(),
    signal: AbortSignal.timeout(SENDING),
    onProgress: () => {},
  };
  const job = await handIn(what, await ticketFor(what));
  if (job === null) throw new Failure('timeout');
  return job;
}

/** Where the page is not on a safe origin there is no randomUUID. */
export function token(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((one) => one.toString(16).padStart(2, '0'))
    .join('');
}

/** The ZIP has more bytes than the server takes. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';

  constructor(readonly most: number) {
    super(`at most ${most} bytes`);
  }
}

async function sent(
  what: Handing,
  url: string,
  form: FormData,
  headers: Record<string, string> = {},
): Promise<string | null> {
  form.append('file', what.zip, what.name);
  const answer = await send<Accepted>(url, form, {
    signal: what.signal,
    headers,
    onProgress: (bytes) => what.onProgress(Math.min(1, bytes / what.zip.size)),
  });
  what.onProgress(1);
  return answer?.task_id ?? null;
}

/** The job of an upload that went past the API. A ZIP that could not be used has none, and ends as expired. */
async function taskOf(ticket: UploadTicket, signal: AbortSignal): Promise<string | null> {
  for (let look = 0; look < LOOKS; look += 1) {
    const told = await ask<UploadState>(`/uploads/${ticket.upload_id}`, { signal });
    if (told.task) return told.task.task_id;
    if (told.state === 'expired') throw new Failure('timeout');
    await pause(LOOK_EVERY, signal);
  }
  return null;
}

export const cancelJob = (id: string): Promise<TaskBrief> =>
  ask<TaskBrief>(`/retrain/tasks/${id}`, { method: 'DELETE', tries: 3 });
