/** Tables to take away, each with the line that says what it is for. */

export type Value = string | number | boolean | null;

/** What a spreadsheet would take for a formula. */
const FORMULA = /^[=+\-@\t\r\n]/;

/** By this spreadsheets know UTF-8, and names keep their letters. */
const MARK = '\ufeff';

/** RFC 4180, after one line with the notice. */
export function csv(columns: readonly string[], rows: readonly (readonly Value[])[], notice: string): string {
  const lines = rows.map((row) => row.map(field).join(','));
  return [MARK + field(`# ${notice}`), columns.join(','), ...lines, ''].join('\r\n');
}

function field(value: Value): string {
  if (value === null) return '';
  const text = typeof value === 'string' && FORMULA.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Have the browser save a file. */
export function save(name: string, type: string, content: string | Blob): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
