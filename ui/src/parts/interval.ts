/** How far a rate of a few cells may be off. */

export interface Rate {
  hits: number;
  total: number;
  value: number;
  low: number;
  high: number;
}

const Z = 1.959964; // 95%, two-sided

/** A share with Wilson's interval, which stays honest where cells are few and where all or none are hit; null of none. */
export function rate(hits: number, total: number): Rate | null {
  if (total <= 0) return null;
  const value = hits / total;
  const weight = Z ** 2 / total;
  const middle = (value + weight / 2) / (1 + weight);
  const half = (Z / (1 + weight)) * Math.sqrt((value * (1 - value)) / total + weight / (4 * total));
  return { hits, total, value, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}
