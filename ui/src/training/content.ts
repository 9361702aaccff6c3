/** What a person is about to send to a retraining, read in the browser: nothing has left it yet. */
import { Failure } from '../api/failure';
import { isZip, pathOf, type Source, type Unzipped, unzipped } from '../diagnose/intake';
import { fieldOf, leafOf, patientOf, readTable } from './patients';

export const CLASSES = ['Parasitized', 'Uninfected'] as const;
export type Class = (typeof CLASSES)[number];

/** A fifth of an upload is kept apart to compare on, and the gate wants so many cells there; ingest wants so many. */
export const RULES = { gateShare: 0.2, gateCells: 20, gatePerClass: 5, learnPerClass: 5 };

/** What makes an upload useless, and what a person should know of one that can be used. */
export type Fault =
  | 'broken'
  | 'severalZips'
  | 'empty'
  | 'noFolders'
  | 'missingClass'
  | 'noTable'
  | 'unmatched'
  | 'loose'
  | 'twoClasses'
  | 'beside'
  | 'blank'
  | 'contradiction'
  | 'repeated'
  | 'few'
  | 'fewOfClass'
  | 'unknownPatients'
  | 'oneGroup'
  | 'options';
const USELESS: readonly Fault[] = ['broken', 'severalZips', 'empty', 'noFolders', 'missingClass'];

export interface Finding {
  fault: Fault;
  count: number;
  /** A class, or an example. */
  what: string;
}

export interface Content {
  /** Of the upload, for people. */
  name: string;
  bytes: number;
  pictures: Record<Class, Source[]>;
  /** Patients that are known, and how many pictures name none. */
  patients: number;
  unknown: number;
  /** Of each picture whose patient is known. */
  patientOf: Map<string, string>;
  /** Patients, else fields, else cells: what stays together. */
  groups: number;
  tabled: boolean;
  findings: Finding[];
  /** null: a folder, which is packed when it is sent. */
  zip: File | null;
  /** All that goes into the ZIP. */
  files: Source[];
}

export const useless = (finding: Finding): boolean => USELESS.includes(finding.fault);
export const usable = (content: Content): boolean => !content.findings.some(useless);

const HIDDEN = /(^|\/)(\.[^/]+|__MACOSX|thumbs\.db|desktop\.ini)(\/|$)/i;
const PICTURE = /\.(png|jpe?g|webp|tiff?|bmp|gif)$/i;

/** Look through files, a folder, or one ZIP. Throws where a file cannot be read, and as `zipTools`. */
export async function look(files: readonly File[]): Promise<Content> {
  const [first] = files;
  const zips: File[] = [];
  for (const file of files) if (await isZip(file)) zips.push(file);
  const [zip] = zips;
  if (zip && files.length > 1) return failed(zip.name, 'severalZips', zips.length);
  if (zip) return ofZip(zip);
  if (first && files.length === 1 && /\.zip$/i.test(first.name)) return failed(first.name, 'broken', 1);
  const sources = files.map((file) => ({ name: pathOf(file), size: file.size, load: async () => file }));
  const top = sources[0]?.name.split('/') ?? [];
  const folder = top.length > 2 ? top[0] : undefined;
  return sorted(`${folder ?? 'cells'}.zip`, sources, null);
}

async function ofZip(zip: File): Promise<Content> {
  let entries: Unzipped[];
  try {
    entries = await unzipped(zip);
  } catch (error) {
    if (error instanceof Failure) throw error;
    return failed(zip.name, 'broken', 1);
  }
  const content = await sorted(zip.name, entries, zip);
  const shown = content.findings.filter(useless).length === 0;
  return shown ? { ...content, findings: [...content.findings, ...copies(content)] } : content;
}

function failed(name: string, fault: Fault, count: number): Content {
  return { ...blank(name, [], null), findings: [{ fault, count, what: name }] };
}

function blank(name: string, files: Source[], zip: File | null): Content {
  return {
    name,
    bytes: zip?.size ?? files.reduce((sum, file) => sum + file.size, 0),
    pictures: { Parasitized: [], Uninfected: [] },
    patients: 0,
    unknown: 0,
    patientOf: new Map(),
    groups: 0,
    tabled: false,
    findings: [],
    zip,
    files,
  };
}

async function sorted(name: string, sources: Source[], zip: File | null): Promise<Content> {
  const files = sources.filter((source) => !HIDDEN.test(source.name));
  const content = blank(name, files, zip);
  const note = (fault: Fault, count: number, what = '') => {
    if (count > 0) content.findings.push({ fault, count, what });
  };
  const aside: Record<'loose' | 'twoClasses' | 'beside' | 'blank', Source[]> = {
    loose: [],
    twoClasses: [],
    beside: [],
    blank: [],
  };
  for (const file of files) {
    const kind = kindOf(file);
    if (kind === 'Parasitized' || kind === 'Uninfected') content.pictures[kind].push(file);
    else if (kind !== 'own') aside[kind].push(file);
  }
  const pictures = CLASSES.flatMap((label) => content.pictures[label]);
  if (files.length === 0) note('empty', 1);
  else if (pictures.length === 0) note('noFolders', 1, folders(files));
  else for (const label of CLASSES) if (content.pictures[label].length === 0) note('missingClass', 1, label);
  for (const [fault, those] of Object.entries(aside))
    note(fault as keyof typeof aside, those.length, those[0]?.name);
  await people(content, pictures, note);
  if (usable(content)) enough(content, note);
  if (own(files, 'retrain.json')) note('options', 1);
  return content;
}

type Note = (fault: Fault, count: number, what?: string) => void;

function kindOf(file: Source): Class | 'own' | 'loose' | 'twoClasses' | 'beside' | 'blank' {
  if (/^(patients\.csv|retrain\.json)$/i.test(leafOf(file.name))) return 'own';
  const named = file.name
    .split('/')
    .slice(0, -1)
    .flatMap((part) => CLASSES.filter((label) => label.toLowerCase() === part.toLowerCase()));
  if (new Set(named).size > 1) return 'twoClasses';
  if (named[0] === undefined) return PICTURE.test(file.name) ? 'loose' : 'beside';
  if (!PICTURE.test(file.name)) return 'beside';
  return file.size === 0 ? 'blank' : named[0];
}

function folders(files: readonly Source[]): string {
  const names = new Set(files.map(({ name }) => name.split('/').slice(0, -1).join('/')).filter(Boolean));
  return [...names].slice(0, 5).join(', ');
}

/** The file of that name at the top or one level down, the upper one first. */
function own(files: readonly Source[], name: string): Source | undefined {
  const found = files.filter((file) => leafOf(file.name).toLowerCase() === name);
  return (
    found.find((file) => !file.name.includes('/')) ?? found.find((file) => file.name.split('/').length === 2)
  );
}

async function people(content: Content, pictures: readonly Source[], note: Note): Promise<void> {
  const file = own(content.files, 'patients.csv');
  const table = file
    ? readTable(
        await (await file.load()).text(),
        pictures.map(({ name }) => name),
      )
    : undefined;
  if (table === null) note('noTable', 1);
  if (table) note('unmatched', table.unmatched);
  content.tabled = Boolean(table);
  const [known, groups] = [new Set<string>(), new Set<string>()];
  for (const { name } of pictures) {
    const patient = table?.patients.get(name) ?? patientOf(name);
    if (patient) {
      known.add(patient);
      content.patientOf.set(name, patient);
    } else content.unknown += 1;
    groups.add(patient ?? `field:${fieldOf(name) ?? name}`);
  }
  content.patients = known.size;
  content.groups = groups.size;
}

/** Whether the gate will have enough to decide on, as far as that can be told before. */
function enough(content: Content, note: Note): void {
  const counts = CLASSES.map((label) => content.pictures[label].length);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const perClass = RULES.gatePerClass / RULES.gateShare;
  if (total * RULES.gateShare < RULES.gateCells)
    note('few', total, String(RULES.gateCells / RULES.gateShare));
  else
    for (const [at, label] of CLASSES.entries()) {
      const count = counts[at] ?? 0;
      if (count < perClass) note('fewOfClass', count, label);
    }
  if (content.groups === 1) note('oneGroup', 1);
  note('unknownPatients', content.unknown, String(total));
}

/** Pictures of the same bytes, by their checksums: some would be counted once, some lie under both classes. */
function copies(content: Content): Finding[] {
  const met = new Map<string, { label: Class; name: string }>();
  const counts = { repeated: 0, contradiction: 0 };
  const examples = { repeated: '', contradiction: '' };
  for (const label of CLASSES) {
    for (const file of content.pictures[label] as Unzipped[]) {
      if (file.checksum === null) continue;
      const mark = `${file.checksum}:${file.size}`;
      const first = met.get(mark);
      if (!first) met.set(mark, { label, name: file.name });
      else {
        const kind = first.label === label ? 'repeated' : 'contradiction';
        counts[kind] += 1;
        examples[kind] ||= file.name;
      }
    }
  }
  return (['contradiction', 'repeated'] as const)
    .filter((kind) => counts[kind] > 0)
    .map((fault) => ({ fault, count: counts[fault], what: examples[fault] }));
}
