/** The report of ingest, which the server tells as plain JSON: what was taken in, and what was not and why. */
import type { Task } from '../api/types';
import { csv } from '../parts/csv';

export interface Aside {
  kind: 'quarantined' | 'duplicates' | 'overlap';
  name: string;
  label: string;
  code: string;
  /** The server's own words. */
  reason: string;
}

export interface Report {
  accepted: Record<string, number>;
  counts: Record<string, number>;
  patients: number;
  unknown: number;
  gate: number;
  warnings: string[];
  aside: Aside[];
}

/** null: the job has not got so far. */
export function reportOf(job: Task): Report | null {
  const told = job.ingest;
  if (!told.counts) return null;
  return {
    accepted: numbers(told.accepted),
    counts: numbers(told.counts),
    patients: Number(told.patients ?? 0),
    unknown: Number(told.unknown_patients ?? 0),
    gate: Number(told.gate_cells ?? 0),
    warnings: list(told.warnings).map(String),
    aside: [
      ...records(told.quarantined).map((one) => aside('quarantined', one, text(one.reason))),
      ...records(told.duplicates).map((one) =>
        aside('duplicates', { ...one, code: one.near ? 'near-duplicate' : 'duplicate' }, text(one.same_as)),
      ),
      ...records(told.overlap).map((one) => aside('overlap', { ...one, code: 'overlap' }, text(one.reason))),
    ],
  };
}

const COLUMNS = ['what', 'name', 'class', 'code', 'reason'] as const;

export function toCsv(report: Report, notice: string): string {
  return csv(
    COLUMNS,
    report.aside.map(({ kind, name, label, code, reason }) => [kind, name, label, code, reason]),
    notice,
  );
}

function aside(kind: Aside['kind'], one: Record<string, unknown>, reason: string): Aside {
  return { kind, name: text(one.name), label: text(one.label), code: text(one.code), reason };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const records = (value: unknown) => list(value) as Record<string, unknown>[];

function numbers(value: unknown): Record<string, number> {
  const told = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return Object.fromEntries(told.filter((pair): pair is [string, number] => typeof pair[1] === 'number'));
}
