/** Changing what is served. Neither is asked twice by itself: a second rollback would undo the first. */
import { ask } from './client';
import type { Changed } from './types';

export interface Why {
  actor: string;
  reason: string;
}

export const promote = (version: string, why: Why): Promise<Changed> =>
  changed(`/models/${encodeURIComponent(version)}/promote`, why);

/** to: a version served before. */
export const rollBack = (to: string, why: Why): Promise<Changed> =>
  changed('/models/rollback', { ...why, to });

const changed = (path: string, body: object): Promise<Changed> =>
  ask<Changed>(path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json' },
    timeout: 60_000,
  });
