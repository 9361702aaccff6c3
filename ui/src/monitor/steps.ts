/** The steps of a summary as charts and tables take them. */
import type { Step, Summary } from '../api/types';
import type { Value } from '../parts/csv';

export const COLUMNS = [
  'at',
  'up',
  'requests',
  'client_errors',
  'server_errors',
  'latency_ms_p50',
  'latency_ms_p95',
  'latency_ms_p99',
  'pictures',
  'parasitized',
  'uninfected',
  'not_a_cell',
  'review',
  'confidence_p50',
  'feature_distance_p50',
  'feature_distance_p90',
  'image_deviation_p50',
  'image_deviation_p90',
  'memory_mb',
  'cpu_cores',
  'uploads',
  'jobs_succeeded',
  'jobs_failed',
] as const;
export type Row = Record<(typeof COLUMNS)[number], Value>;

function row(step: Step): Row {
  return {
    at: step.at,
    up: step.up,
    requests: step.requests,
    client_errors: step.client_errors,
    server_errors: step.server_errors,
    latency_ms_p50: step.latency_ms.p50,
    latency_ms_p95: step.latency_ms.p95,
    latency_ms_p99: step.latency_ms.p99,
    pictures: step.pictures,
    parasitized: step.parasitized,
    uninfected: step.uninfected,
    not_a_cell: step.not_a_cell,
    review: step.review,
    confidence_p50: step.confidence.p50,
    feature_distance_p50: step.feature_distance.p50,
    feature_distance_p90: step.feature_distance.p90,
    image_deviation_p50: step.image_deviation.p50,
    image_deviation_p90: step.image_deviation.p90,
    memory_mb: step.memory_mb,
    cpu_cores: step.cpu_cores,
    uploads: step.uploads,
    jobs_succeeded: step.jobs_succeeded,
    jobs_failed: step.jobs_failed,
  };
}

/** As a table. */
export const tableOf = (summary: Summary): Value[][] =>
  rowsOf(summary).map((one) => COLUMNS.map((column) => one[column]));

export const rowsOf = (summary: Summary): Row[] => summary.steps.map(row);

/** As `rowsOf`, with the requests that were answered as asked, and the share of pictures that a person is to see. */
export function charted(summary: Summary): (Row & { answered: Value; review_share: Value })[] {
  return rowsOf(summary).map((one) => ({
    ...one,
    answered: Number(one.requests ?? 0) - Number(one.client_errors ?? 0) - Number(one.server_errors ?? 0),
    review_share: one.pictures ? Number(one.review) / Number(one.pictures) : null,
  }));
}

/** Whether any step tells something of it other than nothing. */
export const anything = (rows: readonly Record<string, Value>[], names: readonly string[]): boolean =>
  rows.some((one) => names.some((name) => Boolean(one[name])));
