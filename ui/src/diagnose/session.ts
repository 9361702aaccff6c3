/** What is being looked at now. It outlives a change of screen, so that the next screens can build on it. */
import { askBeforeLeaving } from '../parts/leaving';
import type { Cell, Decision } from './cell';
import { decided } from './decided';
import { Run } from './run';

export type Session = { kind: 'empty' } | { kind: 'single'; cell: Cell } | { kind: 'many'; run: Run };

let session: Session = { kind: 'empty' };
const listeners = new Set<() => void>();

function become(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

export const sessions = {
  current: (): Session => session,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  /** Look at these cells in place of what was looked at before. */
  open(cells: Cell[]): void {
    sessions.close();
    const [first] = cells;
    if (first && cells.length === 1) become({ kind: 'single', cell: first });
    else if (first) {
      const run = new Run(cells);
      become({ kind: 'many', run });
      run.start();
    }
  },
  close(): void {
    if (session.kind === 'many') session.run.cancel();
    become({ kind: 'empty' });
  },
  /** The cells that a person has said something of. */
  decisions(): Cell[] {
    const cells =
      session.kind === 'many' ? session.run.cells : session.kind === 'single' ? [session.cell] : [];
    return cells.filter((cell) => cell.decision);
  },
  /** Whether something would be lost by closing: work under way, or a person's decisions. */
  precious(): boolean {
    return session.kind === 'many' && (!session.run.ended || session.run.cells.some((cell) => cell.decision));
  },
  /** What a person says of a cell; the same once more takes it back. */
  decide(cell: Cell, decision: Decision): void {
    cell.decision = cell.decision === decision ? null : decision;
    if (session.kind === 'many') session.run.touch();
    else become({ ...session });
    decided.tell(cell);
  },
};

askBeforeLeaving(sessions.precious);
