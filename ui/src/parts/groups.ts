/** Which labelled cells the server will keep on one side, read off the ZIP as it does (src/malaria/patients.py). */
import { type Class, type Labelled, layout, type Placed } from './labelledZip';

/** A patient, else a field or slide, else one cell: how many cells of each class it holds. */
export type Held = Record<Class, number>;

const NIH_PATIENT = /^(C\d+)[AB]?(P\d+)?(N)?/;
const FIELD = /^(.+?)[_-]?cell[_-]?\d+$/i;

export function groupsOf(cells: readonly Labelled[]): Held[] {
  const groups = new Map<string, Held>();
  for (const placed of layout(cells)) {
    const group = groupOf(placed);
    const held = groups.get(group) ?? { parasitized: 0, uninfected: 0 };
    held[placed.cell.label] += 1;
    groups.set(group, held);
  }
  return [...groups.values()];
}

function groupOf({ path, cell }: Placed): string {
  const leaf = path.slice(path.lastIndexOf('/') + 1);
  const patient = cell.patient || NIH_PATIENT.exec(leaf.toUpperCase())?.slice(1).join('');
  if (patient) return `patient:${alike(patient)}`;
  const field = FIELD.exec(leaf.replace(/\.[^.]*$/, ''))?.[1];
  return field ? `field:${field}` : `cell:${path}`;
}

/** One patient may be written in other case, spaces or kind of accents. */
const alike = (patient: string): string => patient.normalize('NFC').toLowerCase().trim().replace(/\s+/g, ' ');
