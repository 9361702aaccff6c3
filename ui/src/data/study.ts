/** Labelled cells that are looked through: nothing is learnt from them, and nothing of them is kept on the server. */
import type { Cell } from '../diagnose/cell';
import { Run } from '../diagnose/run';
import { CLASSES, type Class, type Content } from '../training/content';
import { type Looks, looksOf } from './looks';

export interface Studied {
  readonly cell: Cell;
  readonly label: Class;
  readonly patient: string | null;
  looks: Looks | null;
}

export class Study {
  readonly cells: Studied[];
  readonly run: Run;
  private readonly stopped = new AbortController();

  constructor(readonly content: Content) {
    this.cells = CLASSES.flatMap((label) => content.pictures[label].map((source) => ({ source, label }))).map(
      ({ source, label }, id) => ({
        cell: { ...source, id, answer: null, trouble: null, decision: null },
        label,
        patient: content.patientOf.get(source.name) ?? null,
        looks: null,
      }),
    );
    this.run = new Run(
      this.cells.map(({ cell }) => cell),
      true,
    );
  }

  start(): void {
    this.run.start();
    void this.look();
  }

  close(): void {
    this.stopped.abort();
    this.run.cancel();
  }

  /** Colours are read beside the answers, a few pictures at a time, so that the page stays quick. */
  private async look(): Promise<void> {
    for (const [at, one] of this.cells.entries()) {
      if (this.stopped.signal.aborted) return;
      try {
        one.looks = await looksOf(await one.cell.load());
      } catch {
        one.looks = null; // the run tells of pictures that cannot be opened
      }
      if (at % 25 === 24) this.run.touch();
    }
    this.run.touch();
  }
}

let study: Study | null = null;
const listeners = new Set<() => void>();

/** The one that is looked at; it outlives a change of screen. */
export const studies = {
  current: (): Study | null => study,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  open(content: Content | null): void {
    study?.close();
    study = content ? new Study(content) : null;
    study?.start();
    for (const listener of listeners) listener();
  },
};
