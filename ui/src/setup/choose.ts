/**
 * Which cells to label: in turn the one that the model is least sure of, and the one that is most unlike those chosen.
 *
 * What is least certain is not what a moved stain has made wrong (docs/adapt.md), and the nearest neighbours of a
 * doubtful cell are doubtful, too; so half of the cells are chosen for being unlike the others, whatever the model
 * says of them. Of the two classes that it calls, the one goes first of which fewer are chosen, since both are needed.
 */
import type { Class } from '../parts/labelledZip';

export interface Candidate {
  id: string;
  /** From the operating point, in logits. */
  distance: number;
  called: Class;
  /** As `describe` tells; null: the browser cannot show the picture. */
  features: readonly number[] | null;
}

export interface Offered {
  id: string;
  why: 'unsure' | 'different';
}

/** The next `count` to label, after those already offered; fewer where there are no more. */
export function choose(
  candidates: readonly Candidate[],
  count: number,
  before: readonly Offered[] = [],
): Offered[] {
  const places = standardised(candidates);
  const taken = new Set(before.map(({ id }) => id));
  const chosen = candidates.filter(({ id }) => taken.has(id));
  const unlike = new Map(candidates.map((one) => [one.id, nearest(one, chosen, places)]));
  const offered: Offered[] = [];
  while (offered.length < count) {
    const left = candidates.filter(({ id }) => !taken.has(id));
    const why = (before.length + offered.length) % 2 === 0 ? 'unsure' : 'different';
    const next = why === 'unsure' ? leastSure(left) : mostUnlike(ofRarer(left, chosen), unlike);
    if (!next) break;
    taken.add(next.id);
    chosen.push(next);
    offered.push({ id: next.id, why });
    for (const one of left) unlike.set(one.id, Math.min(unlike.get(one.id) ?? 0, between(one, next, places)));
  }
  return offered;
}

function leastSure(left: readonly Candidate[]): Candidate | undefined {
  return best(left, ({ distance }) => -distance);
}

function mostUnlike(left: readonly Candidate[], unlike: ReadonlyMap<string, number>): Candidate | undefined {
  return best(left, ({ id }) => unlike.get(id) ?? 0);
}

function ofRarer(left: readonly Candidate[], chosen: readonly Candidate[]): readonly Candidate[] {
  const count = (called: Class) => chosen.filter((one) => one.called === called).length;
  const rarer: Class = count('uninfected') < count('parasitized') ? 'uninfected' : 'parasitized';
  const found = left.filter(({ called }) => called === rarer);
  return found.length > 0 ? found : left;
}

/** The first with the highest score. */
function best(left: readonly Candidate[], score: (one: Candidate) => number): Candidate | undefined {
  return left.reduce<Candidate | undefined>(
    (top, one) => (!top || score(one) > score(top) ? one : top),
    undefined,
  );
}

type Places = ReadonlyMap<string, readonly number[]>;

/** Each feature with the same spread over all cells, so that none counts for more by its unit. */
function standardised(candidates: readonly Candidate[]): Places {
  const seen = candidates.flatMap(({ id, features }) => (features ? [{ id, features }] : []));
  const width = seen[0]?.features.length ?? 0;
  const scales = Array.from({ length: width }, (_, at) =>
    spread(seen.map(({ features }) => features[at] ?? 0)),
  );
  return new Map(
    seen.map(({ id, features }) => [id, features.map((value, at) => value / (scales[at] || 1))]),
  );
}

function spread(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

/** To the nearest of those chosen; without any, all are as far. */
function nearest(one: Candidate, chosen: readonly Candidate[], places: Places): number {
  return Math.min(...chosen.map((other) => between(one, other, places)), Number.MAX_VALUE);
}

function between(one: Candidate, other: Candidate, places: Places): number {
  const a = places.get(one.id);
  const b = places.get(other.id);
  return a && b ? Math.hypot(...a.map((value, at) => value - (b[at] ?? 0))) : 0;
}
