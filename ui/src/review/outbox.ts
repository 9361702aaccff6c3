/**
 * Tells the server of confirmed labels, when they have settled, and again until it has heard.
 *
 * What is told stands in the collection itself, so nothing is lost by closing the page: what waits goes out the next
 * time it is open. Sending the same once more changes nothing on the server, so two tabs do no harm.
 */
import { confirm } from '../api/cells';
import { Failure } from '../api/failure';
import { preferences } from '../parts/preferences';
import { collection } from './collection';
import { type Label, waits } from './label';

/** A slip of the finger is taken back within this time. */
export const SETTLE = 3_000;
const AGAIN = 10_000;
const LONGEST = 300_000;

export interface OutboxState {
  sending: boolean;
  /** Why what waits could not be sent. */
  failure: unknown;
}

let state: OutboxState = { sending: false, failure: null };
let timer: ReturnType<typeof setTimeout> | undefined;
let failures = 0;
const listeners = new Set<() => void>();

function become(next: OutboxState): void {
  state = next;
  for (const listener of listeners) listener();
}

export const outbox = {
  state: (): OutboxState => state,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  /** Send what waits, once it has settled. */
  soon(delay: number = SETTLE): void {
    clearTimeout(timer);
    timer = setTimeout(() => void flush(), delay);
  },
  /** Send it now. */
  now(): void {
    failures = 0;
    outbox.soon(0);
  },
};

/** Whether labels are to be sent, and it is known who says them. */
export function mayTell(): boolean {
  const { feedback, by } = preferences.current();
  return feedback && by.trim() !== '';
}

async function flush(): Promise<void> {
  if (state.sending || !mayTell()) return;
  become({ ...state, sending: true });
  let why: unknown = null;
  try {
    for (const label of due()) await tell(label);
  } catch (error) {
    why = error;
  }
  become({ sending: false, failure: why });
  if (why === null) failures = 0;
  else if (!(why instanceof Failure) || why.passing) {
    failures += 1;
    outbox.soon(Math.min(LONGEST, AGAIN * 2 ** (failures - 1)));
  }
  if (why === null && (collection.labels() ?? []).some(waits)) outbox.soon();
}

function due(): Label[] {
  const settled = Date.now() - SETTLE;
  return (collection.labels() ?? []).filter((label) => waits(label) && label.at <= settled);
}

async function tell(label: Label): Promise<void> {
  const { by, site } = preferences.current();
  try {
    await confirm({
      prediction_id: label.said.predictionId,
      label: label.label === 'parasitized' ? 'Parasitized' : 'Uninfected',
      by: by.trim(),
      ...(site.trim() ? { site: site.trim() } : {}),
      ...(label.patient ? { patient: label.patient } : {}),
    });
  } catch (error) {
    if (!(error instanceof Failure) || ![400, 422].includes(error.status)) throw error;
    await collection.told(label, { state: 'refused', why: error.message }); // no other try would help this one
    return;
  }
  await collection.told(label, { state: 'sent', label: label.label, patient: label.patient });
}

window.addEventListener('online', outbox.now);
