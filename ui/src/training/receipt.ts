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

export interface Sent {
  who: 'champion' | 'challenger';
  sent: number;
  wrong: number | null;
}

/** What either model sends to a person; receipts of old do not tell. */
export function reviewOf(receipt: Receipt, place: Place): Sent[] {
  const told = (receipt.review?.[place] ?? {}) as Record<string, Omit<Sent, 'who'>>;
  return (['champion', 'challenger'] as const).flatMap((who) => (told[who] ? [{ ...told[who], who }] : []));
}

export function movedOf(receipt: Receipt): Moved[] {
  return PLACES.flatMap((place) =>
    (receipt.moved[place] ?? []).map((cell) => ({ ...(cell as unknown as Moved), place })),
  );
}

export const doubtedOf = (receipt: Receipt): Doubted[] => receipt.doubted as unknown as Doubted[];

/** The name of a rule as a key: "base sensitivity" is "base-sensitivity". */
export const keyOf = ({ name }: Pick<Rule, 'name'>): string => name.replaceAll(' ', '-');

export type Outcome = 'passed' | 'broken' | 'open';

export const outcomeOf = ({ passed }: Rule): Outcome =>
  passed === null ? 'open' : passed ? 'passed' : 'broken';

/** Which sentence says what a rule found: its place under training.said. */
export function saidOf(rule: Rule): string {
  const [key, outcome] = [keyOf(rule), outcomeOf(rule)];
  if (key === 'learning') return rule.value === null ? 'learning-open' : 'learning-few';
  if (key === 'gain' && outcome === 'passed' && (rule.value ?? 0) <= 0) return 'gain-equal';
  if (key === 'site-balanced-accuracy')
    return outcome !== 'open' ? `site-${outcome}` : (rule.value ?? 0) < 0 ? 'site-untold' : 'recall-open';
  if (!/sensitivity|specificity/.test(key)) return `${key}-${outcome}`;
  if (rule.value === null) return 'recall-few';
  const unsure = outcome === 'passed' && rule.low !== null && rule.low < rule.bound;
  return unsure ? 'recall-too-few' : `recall-${outcome}`;
}

const SHOWN_WHEN_ACCEPTED = ['site balanced accuracy', 'base sensitivity', 'base specificity'];

/** The rules that made the verdict. Where labels look swapped, the rest follows from that. */
export function deciding(verdict: string, rules: readonly Rule[]): Rule[] {
  if (verdict === 'accepted')
    return SHOWN_WHEN_ACCEPTED.flatMap((name) => rules.filter((rule) => rule.name === name));
  const wanted: Outcome = verdict === 'rejected' ? 'broken' : 'open';
  const found = rules.filter((rule) => outcomeOf(rule) === wanted);
  const labels = found.filter((rule) => verdict === 'rejected' && rule.name === 'labels');
  return labels.length > 0 ? labels : found;
}

/** How what a rule saw is to be read. */
export function kindOf({ name }: Rule): Kind {
  if (name === 'labels') return 'number';
  if (name === 'doubted labels') return 'share';
  if (name === 'base calibration') return 'difference';
  if (name === 'parity') return 'small';
  if (name === 'file size') return 'bytes';
  return name === 'site size' || name === 'learning' ? 'count' : 'points';
}
