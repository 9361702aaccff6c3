/** Counts of many cells. Each cell counts once, so the parts add up to the whole. */
import { type Cell, type Group, groupOf, STANDINGS, type Standing, standingOf } from './cell';

export interface Summary {
  total: number;
  counts: Record<Standing, number>;
  /** Cells that somebody or something has answered. */
  judged: number;
  decided: number;
  /** Of those to review: how many the model called what. */
  reviewed: Partial<Record<Group, number>>;
  /** Why files could not be read: how many, by code, with one server's text for each. */
  reasons: { code: string; text: string; count: number }[];
  versions: string[];
}

export function summarise(cells: readonly Cell[]): Summary {
  const counts = Object.fromEntries(STANDINGS.map((standing) => [standing, 0])) as Record<Standing, number>;
  const reviewed: Partial<Record<Group, number>> = {};
  const reasons = new Map<string, { code: string; text: string; count: number }>();
  const versions = new Set<string>();
  let decided = 0;
  for (const cell of cells) {
    const standing = standingOf(cell);
    counts[standing] += 1;
    if (cell.decision) decided += 1;
    if (cell.answer) versions.add(cell.answer.version);
    if (standing === 'review') reviewed[groupOf(cell)] = (reviewed[groupOf(cell)] ?? 0) + 1;
    if (standing === 'unreadable' && cell.trouble) {
      const known = reasons.get(cell.trouble.code);
      if (known) known.count += 1;
      else reasons.set(cell.trouble.code, { ...cell.trouble, count: 1 });
    }
  }
  return {
    total: cells.length,
    counts,
    judged: counts.infected + counts.clear,
    decided,
    reviewed,
    reasons: [...reasons.values()].sort((a, b) => b.count - a.count),
    versions: [...versions],
  };
}
