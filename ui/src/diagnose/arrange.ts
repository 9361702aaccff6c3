/** The order of the grid: by class, the most uncertain first. */
import { type Cell, distance, GROUPS, type Group, groupOf, standingOf } from './cell';

export const FILTERS = ['all', 'review', 'parasitized', 'uninfected', 'unreadable', 'decided'] as const;
export type Filter = (typeof FILTERS)[number];

export interface Section<G extends string = Group> {
  group: G;
  cells: Cell[];
}

const passes: Record<Filter, (cell: Cell) => boolean> = {
  all: () => true,
  review: (cell) => cell.answer?.needsReview === true,
  parasitized: (cell) => standingOf(cell) === 'infected' || groupOf(cell) === 'parasitized',
  uninfected: (cell) => standingOf(cell) === 'clear' || groupOf(cell) === 'uninfected',
  unreadable: (cell) => cell.trouble !== null,
  decided: (cell) => cell.decision !== null,
};

export function arrange(cells: readonly Cell[], filter: Filter): Section[] {
  const passed = cells.filter(passes[filter]);
  return GROUPS.map((group) => ({
    group,
    cells: sorted(passed.filter((cell) => groupOf(cell) === group)),
  })).filter((section) => section.cells.length > 0);
}

export function countOf(cells: readonly Cell[], filter: Filter): number {
  return cells.reduce((count, cell) => count + (passes[filter](cell) ? 1 : 0), 0);
}

function sorted(cells: Cell[]): Cell[] {
  return cells.sort((a, b) => distance(a) - distance(b) || a.id - b.id);
}

/** Rows of the virtual grid: a heading, then cells, `columns` to a row. */
export type Row<G extends string = Group> =
  | { kind: 'heading'; section: Section<G> }
  | { kind: 'cells'; cells: Cell[] };

export function rowsOf<G extends string>(sections: readonly Section<G>[], columns: number): Row<G>[] {
  const rows: Row<G>[] = [];
  for (const section of sections) {
    rows.push({ kind: 'heading', section });
    for (let at = 0; at < section.cells.length; at += columns) {
      rows.push({ kind: 'cells', cells: section.cells.slice(at, at + columns) });
    }
  }
  return rows;
}

export type Step = 'left' | 'right' | 'up' | 'down' | 'first' | 'last';

/** The cell that an arrow leads to from `id`; up and down keep the column as far as the row has it. */
export function step(rows: readonly Row<string>[], id: number | null, to: Step): Cell | null {
  const lines = rows.flatMap((row) => (row.kind === 'cells' ? [row.cells] : []));
  const line = lines.findIndex((cells) => cells.some((cell) => cell.id === id));
  const all = lines.flat();
  if (line < 0 || to === 'first') return all[0] ?? null;
  if (to === 'last') return all.at(-1) ?? null;
  const column = lines[line]?.findIndex((cell) => cell.id === id) ?? 0;
  if (to === 'left' || to === 'right') {
    const place = all.findIndex((cell) => cell.id === id) + (to === 'left' ? -1 : 1);
    return all[Math.min(all.length - 1, Math.max(0, place))] ?? null;
  }
  const other = lines[line + (to === 'up' ? -1 : 1)] ?? lines[line];
  return other?.[Math.min(column, other.length - 1)] ?? null;
}
