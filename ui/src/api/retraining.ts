/** Handing labelled cells in for retraining, and what is served after it. */
import { ask } from './client';
import { Failure } from './failure';
import type { Accepted, Changed, Task, UploadState, UploadTicket } from './types';

/** What serverless platforms take in one request, with room for the form around it. */
const ONE_REQUEST = 3.5 * 2 ** 20;
const SENDING = 15 * 60_000;
const LOOKS = 60;
const LOOK_EVERY = 1_000;

export interface Upload {
  name: string;
  data: Blob;
  note: string;
  /** The same key, ZIP and note again are the same job, so a page that was closed in the middle loses nothing. */
  key?: string;
}

/** Hand in a ZIP for `adapt`; the id of its job. A large one goes where the server says, which may be a bucket. */
export async function sendForAdapting(upload: Upload): Promise<string> {
  if (upload.data.size > ONE_REQUEST) return sendLarge(upload);
  const body = new FormData();
  body.append('file', upload.data, upload.name);
  body.append('method', 'adapt');
  body.append('note', upload.note);
  const headers = upload.key ? { 'Idempotency-Key': upload.key } : {};
  const accepted = await ask<Accepted>('/retrain', { method: 'POST', body, headers, timeout: SENDING });
  return accepted.task_id;
}

async function sendLarge({ name, data, note }: Upload): Promise<string> {
  const ticket = await ask<UploadTicket>('/uploads', json({ name, method: 'adapt', note }));
  const body = new FormData();
  for (const [field, value] of Object.entries(ticket.fields)) body.append(field, value);
  body.append('file', data, name);
  if (ticket.url.startsWith('/')) await ask(ticket.url, { method: 'POST', body, timeout: SENDING });
  else await sendElsewhere(ticket.url, body);
  return jobOf(ticket);
}

/** To a bucket: it is no part of this server, and must not be shown the key. */
async function sendElsewhere(url: string, body: FormData): Promise<void> {
  let answer: Response;
  try {
    answer = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(SENDING) });
  } catch {
    throw new Failure('unreachable');
  }
  if (!answer.ok) throw new Failure('nonsense');
}

/** The job begins by itself once the bucket has told of the upload. */
async function jobOf(ticket: UploadTicket): Promise<string> {
  for (let look = 0; look < LOOKS; look += 1) {
    const { task } = await ask<UploadState>(`/uploads/${ticket.upload_id}`);
    if (task) return task.task_id;
    await new Promise((done) => setTimeout(done, LOOK_EVERY));
  }
  throw new Failure('timeout');
}

export const cancelTask = (id: string): Promise<unknown> => ask(`/retrain/tasks/${id}`, { method: 'DELETE' });
export const task = (id: string): Promise<Task> => ask<Task>(`/retrain/status/${id}`);

export interface Who {
  actor: string;
  reason: string;
}

export const promote = (version: string, who: Who): Promise<Changed> =>
  ask<Changed>(`/models/${encodeURIComponent(version)}/promote`, json({ ...who }));
export const rollBack = (to: string, who: Who): Promise<Changed> =>
  ask<Changed>('/models/rollback', json({ ...who, to }));

function json(body: Record<string, unknown>) {
  const headers = { 'Content-Type': 'application/json' };
  return { method: 'POST', headers, body: JSON.stringify(body) } as const;
}
