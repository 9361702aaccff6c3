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
  /** The picture that it is compared with, where there is one. */
  other: string;
}

/** Something to know of the whole upload. */
export interface Warned {
  code: string;
  text: string;
  count: number;
  of: number;
}

export interface Report {
  accepted: Record<string, number>;
  counts: Record<string, number>;
  patients: number;
  unknown: number;
  gate: number;
  warnings: Warned[];
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
    warnings: warnedOf(told),
    aside: [
      ...records(told.quarantined).map((one) => aside('quarantined', one, text(one.reason))),
      ...records(told.duplicates).map((one) =>
        aside(
          'duplicates',
          { ...one, code: one.near ? 'near-duplicate' : 'duplicate', other: one.same_as },
          text(one.same_as),
        ),
      ),
      ...records(told.overlap).map((one) =>
        aside('overlap', { ...one, code: one.code || 'overlap' }, text(one.reason)),
      ),
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
  const [name, label, code, other] = [one.name, one.label, one.code, one.other].map(text) as Four;
  return { kind, name, label, code, reason, other };
}

type Four = [string, string, string, string];

/** Reports of old have sentences alone. */
function warnedOf(told: Record<string, unknown>): Warned[] {
  const coded = records(told.warned);
  return list(told.warnings).map((sentence, place) => ({
    code: text(coded[place]?.code),
    text: String(sentence),
    count: Number(coded[place]?.count ?? 0),
    of: Number(coded[place]?.of ?? 0),
  }));
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const records = (value: unknown) => list(value) as Record<string, unknown>[];

function numbers(value: unknown): Record<string, number> {
  const told = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return Object.fromEntries(told.filter((pair): pair is [string, number] => typeof pair[1] === 'number'));
}
