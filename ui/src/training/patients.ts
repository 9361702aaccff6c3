/** Who a cell came from, as the server reads it: src/malaria/patients.py and patients_csv.py say why. */

const NIH = /^(C\d+)[AB]?(P\d+)?(N)?/;
const FIELD = /^(.*?)[_-]?cell[_-]?\d+$/i;

export const leafOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** The patient that an NIH-style file name tells, or null. */
export function patientOf(path: string): string | null {
  const found = NIH.exec(leafOf(path).toUpperCase());
  return found ? found.slice(1).join('') : null;
}

/** The microscope field that a cell was cut from, or null. */
export function fieldOf(path: string): string | null {
  const found = FIELD.exec(leafOf(path).replace(/\.[^.]*$/, ''));
  return found?.[1] || null;
}

export interface Table {
  /** The patient of each picture that a row names. */
  patients: Map<string, string>;
  /** Rows that name no picture. */
  unmatched: number;
}

/** The rows of a patients.csv, matched to pictures by as much of their paths as names one only; null: no such table. */
export function readTable(text: string, pictures: readonly string[]): Table | null {
  const lines = parsed(text);
  const columns = (lines[0] ?? []).map((column) => column.trim().toLowerCase());
  const [atFile, atPatient] = [columns.indexOf('file'), columns.indexOf('patient')];
  if (atFile < 0 || atPatient < 0) return null;
  const byEnd = ends(pictures);
  const found: Table = { patients: new Map(), unmatched: 0 };
  for (const row of lines.slice(1)) {
    if (!row.some((cell) => cell.trim())) continue;
    const name = (row[atFile] ?? '').trim().replaceAll('\\', '/').replace(/^\.\//, '').normalize('NFC');
    const matches = byEnd.get(name) ?? [];
    const path = matches.length === 1 ? matches[0] : matches.find((one) => one === name);
    const patient = (row[atPatient] ?? '').trim();
    if (path && patient) found.patients.set(path, patient);
    else found.unmatched += 1;
  }
  return found;
}

/** Every end of every path ('a/b/c.png', 'b/c.png', 'c.png') with the paths that it may mean. */
function ends(pictures: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const path of pictures) {
    const parts = path.split('/');
    for (let at = Math.max(0, parts.length - 4); at < parts.length; at += 1) {
      const end = parts.slice(at).join('/');
      const paths = found.get(end);
      if (paths) paths.push(path);
      else found.set(end, [path]);
    }
  }
  return found;
}

/** CSV with quotes; commas, semicolons or tabs, whichever the first line has most of. */
function parsed(text: string): string[][] {
  const plain = text.replace(/^\uFEFF/, '');
  const first = /^[^\r\n]*/.exec(plain)?.[0] ?? '';
  const [delimiter = ','] = [',', ';', '\t'].sort((a, b) => first.split(b).length - first.split(a).length);
  const rows: string[][] = [];
  let row: string[] = [];
  const cell = new RegExp(`(?:"((?:[^"]|"")*)"|([^${delimiter}\\r\\n]*))(${delimiter}|\\r?\\n|\\r|$)`, 'y');
  while (cell.lastIndex < plain.length) {
    const found = cell.exec(plain);
    if (!found) break;
    row.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '');
    if (found[3] !== delimiter) {
      rows.push(row);
      row = [];
    }
  }
  return row.length > 0 ? [...rows, row] : rows;
}
