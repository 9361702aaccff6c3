/** The gate's receipt, whose freer parts the server tells as plain JSON. */
import type { Receipt, Rule } from '../api/types';
import type { Kind } from '../parts/figures';
import { type Metrics, metricsOf } from '../parts/metrics';

/** A person's own cells come first. */
export const PLACES = ['site', 'base'] as const;
export type Place = (typeof PLACES)[number];

export interface Pair {
  champion: Metrics;
  challenger: Metrics;
}

export interface Moved {
  place: Place;
  name: string;
  patient: string;
  label: string;
  champion: number;
  challenger: number;
  gained: boolean;
}

export interface Doubted {
  name: string;
  patient: string;
  label: string;
  champion: number;
}

export function pairOf(receipt: Receipt, place: Place): Pair | null {
  const told = receipt[place];
  const [champion, challenger] = [metricsOf(told?.champion), metricsOf(told?.challenger)];
  return champion && challenger ? { champion, challenger } : null;
}

export function movedOf(receipt: Receipt): Moved[] {
  return PLACES.flatMap((place) =>
    (receipt.moved[place] ?? []).map((cell) => ({ ...(cell as unknown as Moved), place })),
  );
}

export const doubtedOf = (receipt: Receipt): Doubted[] => receipt.doubted as unknown as Doubted[];

/** The name of a rule as a key: "base sensitivity" is "base-sensitivity". */
export const keyOf = (rule: Rule): string => rule.name.replaceAll(' ', '-');

/** How what a rule saw is to be read. */
export function kindOf({ name }: Rule): Kind {
  if (name === 'labels') return 'number';
  if (name === 'doubted labels') return 'share';
  if (name === 'base calibration') return 'difference';
  if (name === 'parity') return 'small';
  if (name === 'file size') return 'bytes';
  return name === 'site size' || name === 'learning' ? 'count' : 'points';
}
