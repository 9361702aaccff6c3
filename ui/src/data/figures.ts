/** What is counted and drawn of labelled cells. */
import type { Class } from '../training/content';
import type { Studied } from './study';

export interface Bin {
  from: number;
  to: number;
  Parasitized: number;
  Uninfected: number;
}

/** How many of each class lie in each of `bins` equal parts from the least to the greatest, or of `range`. */
export function histogram(
  values: readonly { value: number; label: Class }[],
  bins: number,
  range?: readonly [number, number],
): Bin[] {
  if (values.length === 0) return [];
  const all = values.map(({ value }) => value);
  const least = range?.[0] ?? all.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
  const most = range?.[1] ?? all.reduce((high, value) => Math.max(high, value), Number.NEGATIVE_INFINITY);
  const width = (most - least) / bins || 1;
  const found: Bin[] = Array.from({ length: bins }, (_, place) => ({
    from: least + place * width,
    to: least + (place + 1) * width,
    Parasitized: 0,
    Uninfected: 0,
  }));
  for (const { value, label } of values) {
    const place = Math.min(bins - 1, Math.max(0, Math.floor((value - least) / width)));
    const bin = found[place];
    if (bin) bin[label] += 1;
  }
  return found;
}

export interface PatientCount {
  patient: string;
  Parasitized: number;
  Uninfected: number;
}

/** Cells of each patient that is known, those with most first. */
export function perPatient(cells: readonly Studied[]): PatientCount[] {
  const found = new Map<string, PatientCount>();
  for (const { patient, label } of cells) {
    if (patient === null) continue;
    const row = found.get(patient) ?? { patient, Parasitized: 0, Uninfected: 0 };
    row[label] += 1;
    found.set(patient, row);
  }
  return [...found.values()].sort((a, b) => b.Parasitized + b.Uninfected - a.Parasitized - a.Uninfected);
}

/** What the model gives to the label that a cell has, 0 to 1; null where it gave nothing. */
export function belief({ cell, label }: Studied): number | null {
  const probability = cell.answer?.probability ?? null;
  if (probability === null) return null;
  return label === 'Parasitized' ? probability : 1 - probability;
}

/** Whether the model calls a cell what its label says; null where it was not answered. */
export function agrees({ cell, label }: Studied): boolean | null {
  const called = cell.answer?.prediction ?? null;
  return called === null ? null : called === label;
}

/** Cells whose label the model speaks against, the surest first: either is mistaken. */
export function doubted(cells: readonly Studied[]): Studied[] {
  return cells.filter((one) => agrees(one) === false).sort((a, b) => (belief(a) ?? 1) - (belief(b) ?? 1));
}

export const OUTCOMES = ['truePositive', 'trueNegative', 'falsePositive', 'falseNegative'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export function outcomeOf(one: Studied): Outcome | null {
  const right = agrees(one);
  if (right === null) return null;
  if (one.label === 'Parasitized') return right ? 'truePositive' : 'falseNegative';
  return right ? 'trueNegative' : 'falsePositive';
}

/** Some cells of each outcome: of those that are right the middle ones by how sure the model was, of those that are wrong
 * the surest, which teach most. */
export function typical(cells: readonly Studied[], most: number): Record<Outcome, Studied[]> {
  const found: Record<Outcome, Studied[]> = {
    truePositive: [],
    trueNegative: [],
    falsePositive: [],
    falseNegative: [],
  };
  for (const one of cells) {
    const outcome = outcomeOf(one);
    if (outcome) found[outcome].push(one);
  }
  for (const outcome of OUTCOMES) {
    const ordered = found[outcome].sort((a, b) => (belief(a) ?? 0) - (belief(b) ?? 0));
    const right = outcome === 'truePositive' || outcome === 'trueNegative';
    const start = right ? Math.max(0, Math.floor((ordered.length - most) / 2)) : 0;
    found[outcome] = ordered.slice(start, start + most);
  }
  return found;
}
