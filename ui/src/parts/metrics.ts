/** Figures of a model on one set of cells, as a manifest or a receipt keeps them: src/malaria/metrics.py. */
import type { Kind } from './figures';

export interface Metrics {
  cells: number;
  patients: number;
  parasitized: number;
  uninfected: number;
  threshold: number;
  confusion: { tp: number; fp: number; tn: number; fn: number };
  intervals: Record<string, [number, number]>;
  /** By patient: median and worst of those with enough cells. */
  spread: Record<string, { patients: number; median: number; worst: number }>;
  values: Record<string, number | null>;
}

export const FIGURES = ['sensitivity', 'specificity', 'accuracy', 'auc', 'brier', 'ece'] as const;
export type Figure = (typeof FIGURES)[number];
export const KINDS: Record<Figure, Kind> = {
  sensitivity: 'share',
  specificity: 'share',
  accuracy: 'share',
  auc: 'number',
  brier: 'number',
  ece: 'number',
};
/** Of these, less is better. */
export const FALLING: readonly Figure[] = ['brier', 'ece'];

/** null: it holds no figures. */
export function metricsOf(told: unknown): Metrics | null {
  if (typeof told !== 'object' || told === null || !('confusion' in told)) return null;
  const from = told as Record<string, unknown>;
  const values = Object.entries(from).filter(([, value]) => typeof value === 'number' || value === null);
  return {
    ...(from as unknown as Metrics),
    intervals: (from.intervals as Metrics['intervals'] | undefined) ?? {},
    spread: (from.spread as Metrics['spread'] | undefined) ?? {},
    values: Object.fromEntries(values) as Metrics['values'],
  };
}

/** The figure and its interval. */
export function figureOf(
  metrics: Metrics,
  name: Figure,
): { value: number | null; interval: [number, number] | null } {
  return { value: metrics.values[name] ?? null, interval: metrics.intervals[name] ?? null };
}
