import { useSyncExternalStore } from 'react';
import { collection } from './collection';
import type { Label } from './label';
import { type OutboxState, outbox } from './outbox';

/** Null: not read yet. */
export const useLabels = (): readonly Label[] | null =>
  useSyncExternalStore(collection.subscribe, collection.labels);
export const useUnkept = (): unknown => useSyncExternalStore(collection.subscribe, collection.failure);
export const useOutbox = (): OutboxState => useSyncExternalStore(outbox.subscribe, outbox.state);
