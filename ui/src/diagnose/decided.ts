/** Told each time a person has said what a cell is. So small that it can be listened to before anything is opened. */
import type { Cell } from './cell';

type Listener = (cell: Cell) => void;
const listeners = new Set<Listener>();

export const decided = {
  subscribe(listener: Listener): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  tell(cell: Cell): void {
    for (const listener of listeners) listener(cell);
  },
};
