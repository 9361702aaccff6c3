/** What a person takes away: a table or JSON, each with the line that says what it is for. */
import { type Cell, standingOf } from './cell';
import { summarise } from './summary';

const COLUMNS = [
  'index',
  'filename',
  'prediction',
  'probability_parasitized',
  'threshold',
  'needs_review',
  'review_code',
  'decision',
  'counts_as',
  'model_version',
  'prediction_id',
  'timestamp',
  'error_code',
  'error_detail',
] as const;
type Line = Record<(typeof COLUMNS)[number], string | number | boolean | null>;

/** What a spreadsheet would take for a formula. */
const FORMULA = /^[=+\-@\t\r\n]/;

function line(cell: Cell): Line {
  const { answer, trouble } = cell;
  return {
    index: cell.id,
    filename: cell.name,
    prediction: answer?.prediction ?? null,
    probability_parasitized: answer?.probability ?? null,
    threshold: answer?.threshold ?? null,
    needs_review: answer?.needsReview ?? null,
    review_code: answer?.review?.code ?? null,
    decision: cell.decision,
    counts_as: standingOf(cell),
    model_version: answer?.version ?? null,
    prediction_id: answer?.predictionId ?? null,
    timestamp: answer?.timestamp ?? null,
    error_code: trouble?.code ?? null,
    error_detail: trouble?.text ?? null,
  };
}

/** RFC 4180, after one line with the notice. */
export function toCsv(cells: readonly Cell[], notice: string): string {
  const lines = cells.map((cell) => {
    const told = line(cell);
    return COLUMNS.map((column) => field(told[column])).join(',');
  });
  return [field(`# ${notice}`), COLUMNS.join(','), ...lines, ''].join('\r\n');
}

function field(value: string | number | boolean | null): string {
  if (value === null) return '';
  const text = typeof value === 'string' && FORMULA.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function toJson(cells: readonly Cell[], notice: string, now: Date = new Date()): string {
  const { total, counts, decided, versions } = summarise(cells);
  const summary = { total, ...counts, decided };
  return JSON.stringify(
    { notice, exported: now.toISOString(), model_versions: versions, summary, cells: cells.map(line) },
    null,
    1,
  );
}

export function save(name: string, type: string, content: string | Blob): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
