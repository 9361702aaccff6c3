/** Labels as cells of the grid. A label keeps its cell, so that pictures stay and nothing jumps when it changes. */
import type { Cell } from '../diagnose/cell';
import { cellOf, type Label } from './label';

const cells = new Map<string, Cell>();
const labels = new WeakMap<Cell, Label>();

export function cellFor(label: Label): Cell {
  const cell = cells.get(label.id) ?? cellOf(label, cells.size);
  cell.decision = label.label;
  cells.set(label.id, cell);
  labels.set(cell, label);
  return cell;
}

/** The label that a cell of the grid shows. */
export function labelOf(cell: Cell): Label | null {
  return labels.get(cell) ?? null;
}
