/** Addresses of pictures, for showing them. Kept while they may be needed, and given back after that. */
import type { Cell } from './cell';

/** More than any screen shows at once. */
const MOST = 3000;
const kept = new Map<Cell, Promise<string>>();

export function addressOf(cell: Cell): Promise<string> {
  const known = kept.get(cell);
  if (known) {
    kept.delete(cell); // to the end: the least used ones stand at the front
    kept.set(cell, known);
    return known;
  }
  const made = cell.load().then((data) => URL.createObjectURL(data));
  made.catch(() => kept.delete(cell));
  kept.set(cell, made);
  trim();
  return made;
}

function trim(): void {
  for (const [cell, address] of kept) {
    if (kept.size <= MOST) return;
    kept.delete(cell);
    void address.then((url) => URL.revokeObjectURL(url)).catch(() => {});
  }
}
