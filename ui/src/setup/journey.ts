/**
 * One set-up for a microscope, from unlabelled cells to a verdict. Each step is written down in the browser before it is
 * on the screen, so that a reload in the middle leads back to where it was. The next cell to label alone comes at once,
 * since a person may be quicker than the browser; how many are labelled is told once they are kept.
 */
import { ask } from '../api/client';
import { sendForAdapting } from '../api/training';
import type { Status } from '../api/types';
import type { Cell, Decision } from '../diagnose/cell';
import { distance, groupOf } from '../diagnose/cell';
import { gather } from '../diagnose/intake';
import { Run } from '../diagnose/run';
import { lotOf } from '../parts/enough';
import { groupsOf, type Held } from '../parts/groups';
import { type Class, type Labelled, pack } from '../parts/labelledZip';
import { type Candidate, choose, type Offered } from './choose';
import { describe } from './describe';
import { journeys, type KeptCell, type KeptJourney, cells as keptCells, NEW, type Outcome } from './kept';
import { folderOf, foldersOf, rowsOf, spread } from './rows';

/** How many more are offered at a time, after the first lot. */
export const MORE = 50;
/** Enough to choose from; all of a large folder would be asked about and kept for nothing. */
export const MOST = 600;

export type Step = 'opening' | 'bring' | 'asking' | 'choosing' | 'label' | 'send' | 'adapt' | 'compare';

/** No retraining, as yet, and another one than before. */
const afresh = () => ({ key: Math.random().toString(36).slice(2), job: null, ended: false, outcome: null });

class Journey {
  cells: Cell[] = [];
  run: Run | null = null;
  /** Whether the browser does not keep it: then a reload would lose it. */
  unkept = false;
  private rows: KeptCell[] = [];
  /** As the person has it by now. */
  private told: KeptJourney = NEW;
  /** As the browser keeps it, and the screen shows it. */
  private shown: KeptJourney = NEW;
  private turn: Promise<void> = Promise.resolve();
  /** A writing that has not begun: what is changed until then goes along. */
  private due: Promise<void> | null = null;
  private at: 'opening' | 'open' | 'choosing' = 'opening';
  private saved = new Set<number>();
  private version = 0;
  private readonly listeners = new Set<() => void>();

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    if (this.at === 'opening' && this.version === 0) void this.open();
    return () => this.listeners.delete(listener);
  };
  snapshot = (): number => this.version;

  get step(): Step {
    if (this.at !== 'open') return this.at;
    if (this.rows.length === 0) return 'bring';
    if (this.shown.job) return this.shown.ended ? 'compare' : 'adapt';
    if (this.shown.offered.length === 0) return 'asking';
    return this.shown.enough ? 'send' : 'label';
  }
  get journey(): Readonly<KeptJourney> {
    return this.shown;
  }

  /** Take in what was brought; false where there is no picture among it. */
  async bring(files: readonly File[]): Promise<boolean> {
    const found = (await gather(files)).cells;
    const taken = spread(found, MOST);
    const rows = await rowsOf(taken);
    if (rows.length === 0) return false;
    const told = { ...NEW, ...afresh(), brought: found.length, byFolder: foldersOf(rows).size > 1 };
    await this.keeping(
      async () => {
        await Promise.all([journeys.clear(), keptCells.clear()]); // a reload in the middle of `reset` leaves some
        await keptCells.put(...rows);
        await journeys.put(told);
      },
      () => this.take(rows, told),
    );
    this.ask();
    return true;
  }

  /** Cells that can be offered: those that are answered, and that a person can see. */
  get candidates(): Candidate[] {
    return this.rows.flatMap((row, index) => {
      const cell = this.cells[index];
      const called = cell && groupOf(cell);
      if (!row.features || (called !== 'parasitized' && called !== 'uninfected')) return [];
      return [{ id: row.id, distance: distance(cell as Cell), called, features: row.features }];
    });
  }

  cellOf(id: string): Cell | null {
    return this.cells[Number(id)] ?? null;
  }

  /** The one to label now; null once all that are offered are. */
  get next(): Offered | null {
    return this.told.offered.find(({ id }) => !this.told.labels[id]) ?? null;
  }

  get counts(): Record<Class, number> {
    const given = Object.values(this.shown.labels);
    return {
      parasitized: given.filter((label) => label === 'parasitized').length,
      uninfected: given.filter((label) => label === 'uninfected').length,
    };
  }

  decide(id: string, decision: Decision): void {
    void this.write({
      labels: { ...this.told.labels, [id]: decision },
      order: [...this.told.order.filter((other) => other !== id), id],
    });
    if (!this.next) void this.write({ enough: true });
    this.touch();
  }

  undo(): void {
    const last = this.told.order.at(-1);
    if (!last) return;
    const { [last]: _, ...labels } = this.told.labels;
    void this.write({ labels, order: this.told.order.slice(0, -1), enough: false });
    this.touch();
  }

  enough(enough: boolean): void {
    void this.write({ enough });
  }

  byFolder(byFolder: boolean): void {
    void this.write({ byFolder });
  }

  /** How many more could be offered. */
  get left(): number {
    return this.candidates.length - this.told.offered.length;
  }

  /** Offer another lot, unless one is there. What was sent before counts together with what comes. */
  more(): void {
    if (this.next) return; // a second press, before the first is shown
    const offered = [...this.told.offered, ...choose(this.candidates, MORE, this.told.offered)];
    void this.write({ ...afresh(), offered, enough: false });
  }

  get folders(): number {
    return foldersOf(this.rows).size;
  }

  /** Of the labelled cells, as the server will group them. */
  get groups(): Held[] {
    return groupsOf(this.labelledIn(this.shown));
  }

  /** What is sent: the labelled cells, without those left out. */
  get labelled(): Labelled[] {
    return this.labelledIn(this.told);
  }

  async send(notice: string, note: string): Promise<void> {
    const data = await pack(this.labelled, notice);
    const name = `my-microscope-${new Date().toISOString().slice(0, 10)}.zip`;
    await this.write({ job: await sendForAdapting({ name, zip: data, note, key: this.told.key }) });
  }

  /** The retraining has come to its end. */
  ended(): void {
    if (!this.told.ended) void this.write({ ended: true });
  }

  /** Where a retraining came to nothing, or cells are left to label. */
  backToLabels(): void {
    void this.write({ ...afresh(), enough: this.next === null });
  }

  end(outcome: Outcome): void {
    void this.write({ outcome });
  }

  async reset(): Promise<void> {
    this.run?.cancel();
    this.run = null;
    await this.keeping(
      async () => {
        await journeys.clear();
        await keptCells.clear();
      },
      () => this.take([], NEW),
    );
  }

  private async open(): Promise<void> {
    this.version += 1;
    await this.keeping(() => this.read());
    this.at = 'open';
    this.touch();
    if (this.step === 'asking') this.ask();
    journeys.elsewhere(async () => {
      if (this.at === 'open' && this.step !== 'asking' && !this.unkept) await this.keeping(() => this.read());
    });
  }

  private async read(): Promise<void> {
    const [rows, [told]] = await Promise.all([keptCells.all(), journeys.all()]);
    if (this.due) return; // what was changed here meanwhile is kept next, and told to the other tab
    const whole = rows.length > 0 && told;
    if (whole || this.rows.length > 0)
      this.take(whole ? rows.sort((a, b) => Number(a.id) - Number(b.id)) : [], whole ? told : NEW);
  }

  private labelledIn({ offered, labels, byFolder }: KeptJourney): Labelled[] {
    return offered.flatMap(({ id }) => {
      const [row, label] = [this.rows[Number(id)], labels[id]];
      if (!row || (label !== 'parasitized' && label !== 'uninfected')) return [];
      const patient = byFolder ? folderOf(row.name) : '';
      return [{ name: row.name, picture: row.picture, label, patient, slide: '' }];
    });
  }

  private take(rows: KeptCell[], told: KeptJourney): void {
    this.rows = rows;
    this.told = told;
    this.shown = told;
    this.saved = new Set(rows.flatMap((row, index) => (row.answer || row.trouble ? [index] : [])));
    this.cells = rows.map((row, id) => ({
      id,
      name: row.name,
      size: row.picture.size,
      load: async () => row.picture,
      answer: row.answer,
      trouble: row.trouble,
      decision: null,
    }));
  }

  private ask(): void {
    const run = new Run(this.cells);
    this.run = run;
    run.subscribe(() => {
      if (this.run !== run) return;
      this.touch();
      void this.keepAnswers();
      if (run.state === 'done' && this.step === 'asking') void this.offer();
    });
    run.start();
  }

  private async keepAnswers(): Promise<void> {
    const fresh: KeptCell[] = [];
    for (const [index, cell] of this.cells.entries()) {
      const row = this.rows[index];
      if (!row || this.saved.has(index) || !(cell.answer || cell.trouble)) continue;
      this.saved.add(index);
      row.answer = cell.answer;
      row.trouble = cell.trouble;
      fresh.push(row);
    }
    if (fresh.length > 0) await this.keeping(() => keptCells.put(...fresh));
  }

  private async offer(): Promise<void> {
    this.at = 'choosing';
    this.touch();
    for (const row of this.rows) row.features ??= row.trouble ? null : await describe(row.picture);
    await this.keeping(() => keptCells.put(...this.rows));
    const needs = await ask<Status>('/status').then(
      (status) => status.needs,
      () => null,
    );
    await this.write({ offered: choose(this.candidates, lotOf(needs)) });
    this.at = 'open';
    this.touch();
  }

  private write(some: Partial<KeptJourney>): Promise<void> {
    this.told = { ...this.told, ...some };
    let told = this.told;
    this.due ??= this.keeping(
      () => {
        this.due = null;
        told = this.told;
        return journeys.put(told);
      },
      () => {
        this.shown = told;
      },
    );
    return this.due;
  }

  /** One after another: do what is to be kept, then show it. Where it is not kept, the screen says so and goes on. */
  private keeping(work: () => Promise<unknown>, show?: () => void): Promise<void> {
    this.turn = this.turn.then(async () => {
      try {
        await work();
        this.unkept = false;
      } catch {
        this.unkept = true;
      }
      show?.();
      this.touch();
    });
    return this.turn;
  }

  private touch(): void {
    this.version += 1;
    for (const listener of this.listeners) listener();
  }
}

export const journey = new Journey();
