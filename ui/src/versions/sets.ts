/** The sets of cells that versions are scored on. */
import type { ModelSummary } from '../api/types';
import { type Metrics, metricsOf } from '../parts/metrics';

/** Those that matter most come first. */
const ORDER = ['gate', 'site_gate', 'validation'];

/** The names of the sets that any of the versions has figures of. */
export function setsOf(models: readonly ModelSummary[]): string[] {
  const names = new Set(
    models.flatMap((model) => Object.keys(model.metrics).filter((name) => metricsOf(model.metrics[name]))),
  );
  const place = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return [...names].sort((a, b) => place(a) - place(b) || a.localeCompare(b));
}

export const on = (model: ModelSummary, set: string): Metrics | null => metricsOf(model.metrics[set]);

export interface Lineage {
  method: string;
  parent: string | null;
  job: string | null;
}

export function lineageOf(model: ModelSummary): Lineage {
  const { method, parent, job } = model.lineage;
  const text = (value: unknown) => (typeof value === 'string' && value ? value : null);
  return { method: text(method) ?? '', parent: text(parent), job: text(job) };
}

/** A version, its parent, that one's parent and so on, as far as they are kept. */
export function chainOf(model: ModelSummary, models: readonly ModelSummary[]): ModelSummary[] {
  const chain = [model];
  for (;;) {
    const parent = lineageOf(chain.at(-1) ?? model).parent;
    const next = models.find((one) => one.version === parent);
    if (!next || chain.includes(next)) return chain;
    chain.push(next);
  }
}

/** Served before and not now, the last first. */
export function servedBefore(models: readonly ModelSummary[]): ModelSummary[] {
  return models
    .filter((model) => model.promoted.length > 0 && !model.served)
    .sort((a, b) => (b.promoted[0] ?? '').localeCompare(a.promoted[0] ?? ''));
}
