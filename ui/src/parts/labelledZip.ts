/**
 * Labelled cells as the ZIP that a retraining takes: Parasitized/, Uninfected/ and patients.csv.
 *
 * Folders of the person's own are left off, since they may name people. File names stay, for the server reads off them
 * which cells are of one field; where a slide is told and no patient, the name says the slide, so that its cells stay
 * on one side. The notice stands in the ZIP's comment: a file of its own would be reported as none of a cell.
 */

import { zipTools } from './zipTools';

export type Class = 'parasitized' | 'uninfected';

export interface Labelled {
  name: string;
  picture: Blob;
  label: Class;
  patient: string;
  slide: string;
}

export interface Placed {
  path: string;
  cell: Labelled;
}

const FOLDER: Record<Class, string> = { parasitized: 'Parasitized', uninfected: 'Uninfected' };
const LONGEST = 100;

/** Where each cell lies in the ZIP. No two lie at one place, whatever the case of their letters. */
export function layout(cells: readonly Labelled[]): Placed[] {
  const taken = new Set<string>();
  return cells.map((cell, index) => {
    const leaf = leafOf(cell, index + 1);
    let path = `${FOLDER[cell.label]}/${leaf}`;
    for (let more = 2; taken.has(path.toLowerCase()); more += 1)
      path = `${FOLDER[cell.label]}/${more}/${leaf}`;
    taken.add(path.toLowerCase());
    return { path, cell };
  });
}

function leafOf(cell: Labelled, number: number): string {
  const leaf = cell.name.slice(cell.name.lastIndexOf('/') + 1);
  const ending = /\.[a-z0-9]{1,5}$/i.exec(leaf)?.[0] ?? endingOf(cell.picture);
  if (cell.slide && !cell.patient) return `${plain(cell.slide)}_cell_${number}${ending}`;
  const stem = plain(leaf.endsWith(ending) ? leaf.slice(0, leaf.length - ending.length) : leaf);
  return `${stem || `cell_${number}`}${ending}`;
}

/** What systems take in a name; a leading dot would hide the file. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must go
  const safe = text.trim().replace(/[\u0000-\u001f\u007f\\/:*?"<>|]/g, '-');
  return safe.replace(/^[.-]+/, '').slice(0, LONGEST);
}

function endingOf(picture: Blob): string {
  return picture.type === 'image/jpeg' ? '.jpg' : `.${picture.type.split('/')[1] ?? 'png'}`;
}

/** Null where no patient is known; cells of unknown patients are left out, as the server wants it. */
export function patientsCsv(placed: readonly Placed[]): string | null {
  const known = placed.filter(({ cell }) => cell.patient);
  if (known.length === 0) return null;
  const rows = known.map(({ path, cell }) => [path, cell.patient, cell.slide].map(field).join(','));
  return ['file,patient,slide', ...rows, ''].join('\r\n');
}

function field(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** As the server writes them: the same cells give the same bytes, by which a repeated request is known. */
const ALWAYS = new Date(1980, 0, 1);

/** The ZIP. Pictures are compressed already, so they are stored as they are. Loaded when it is wanted. */
export async function pack(cells: readonly Labelled[], notice: string): Promise<Blob> {
  const { BlobReader, BlobWriter, TextReader, ZipWriter } = await zipTools();
  const placed = layout(cells);
  const zip = new ZipWriter(new BlobWriter('application/zip'), {
    level: 0,
    extendedTimestamp: false,
    lastModDate: ALWAYS,
  });
  const table = patientsCsv(placed);
  if (table !== null) await zip.add('patients.csv', new TextReader(table));
  for (const { path, cell } of placed) await zip.add(path, new BlobReader(cell.picture));
  return zip.close(new TextEncoder().encode(notice));
}
