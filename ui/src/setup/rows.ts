/** What was brought, as it is kept. */
import type { Cell } from '../diagnose/cell';
import type { KeptCell } from './kept';

/** At most so many, evenly through all of them. */
export function spread<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, at) => all[Math.floor((at * all.length) / most)] as T);
}

/** The pictures themselves, since files that were chosen are out of reach after a reload. */
export async function rowsOf(cells: readonly Cell[]): Promise<KeptCell[]> {
  const rows: KeptCell[] = [];
  for (const { name, load } of cells) {
    const picture = await load().catch(() => null); // moved away meanwhile, or a damaged part of a ZIP
    if (picture)
      rows.push({ id: String(rows.length), name, picture, answer: null, trouble: null, features: null });
  }
  return rows;
}

export function folderOf(name: string): string {
  return name.split('/').at(-2) ?? '';
}

export function foldersOf(rows: readonly KeptCell[]): Set<string> {
  return new Set(rows.map(({ name }) => folderOf(name)));
}
