/**
 * One set-up for a microscope, from unlabelled cells to a verdict. Each step is written down in the browser, so that a
 * reload in the middle leads back to where it was.
 */
import { sendForAdapting } from '../api/training';
import type { Cell, Decision } from '../diagnose/cell';
import { distance, groupOf } from '../diagnose/cell';
import { gather } from '../diagnose/intake';
import { Run } from '../diagnose/run';
import { type Class, type Labelled, pack } from '../parts/labelledZip';
import { type Candidate, choose, type Offered } from './choose';
import { describe } from './describe';
import { journeys, type KeptCell, type KeptJourney, cells as keptCells, NEW, type Outcome } from './kept';

export const LOT = 50;
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
  private told: KeptJourney = NEW;
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
    if (this.told.job) return this.told.ended ? 'compare' : 'adapt';
    if (this.told.offered.length === 0) return 'asking';
    return this.told.enough ? 'send' : 'label';
  }
  get journey(): Readonly<KeptJourney> {
    return this.told;
  }

  /** Take in what was brought; false where there is no picture among it. */
  async bring(files: readonly File[]): Promise<boolean> {
    const found = (await gather(files)).cells;
    const taken = spread(found, MOST);
    const rows = await rowsOf(taken);
    if (rows.length === 0) return false;
    this.take(rows, { ...NEW, ...afresh(), brought: found.length, byFolder: foldersOf(rows).size > 1 });
    await this.keeping(() => Promise.all([keptCells.put(...rows), journeys.put(this.told)]));
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
    const given = Object.values(this.told.labels);
    return {
      parasitized: given.filter((label) => label === 'parasitized').length,
      uninfected: given.filter((label) => label === 'uninfected').length,
    };
  }

  decide(id: string, decision: Decision): void {
    this.write({
      labels: { ...this.told.labels, [id]: decision },
      order: [...this.told.order.filter((other) => other !== id), id],
    });
    if (!this.next) this.write({ enough: true });
  }

  undo(): void {
    const last = this.told.order.at(-1);
    if (!last) return;
    const { [last]: _, ...labels } = this.told.labels;
    this.write({ labels, order: this.told.order.slice(0, -1), enough: false });
  }

  enough(enough: boolean): void {
    this.write({ enough });
  }

  byFolder(byFolder: boolean): void {
    this.write({ byFolder });
  }

  /** How many more could be offered. */
  get left(): number {
    return this.candidates.length - this.told.offered.length;
  }

  /** Offer another lot. What was sent before counts together with what comes. */
  more(): void {
    const offered = [...this.told.offered, ...choose(this.candidates, LOT, this.told.offered)];
    this.write({ ...afresh(), offered, enough: false });
  }

  get folders(): number {
    return foldersOf(this.rows).size;
  }

  /** What is sent: the labelled cells, without those left out. */
  get labelled(): Labelled[] {
    return this.told.offered.flatMap(({ id }) => {
      const [row, label] = [this.rows[Number(id)], this.told.labels[id]];
      if (!row || (label !== 'parasitized' && label !== 'uninfected')) return [];
      const patient = this.told.byFolder ? folderOf(row.name) : '';
      return [{ name: row.name, picture: row.picture, label, patient, slide: '' }];
    });
  }

  async send(notice: string, note: string): Promise<void> {
    const data = await pack(this.labelled, notice);
    const name = `my-microscope-${new Date().toISOString().slice(0, 10)}.zip`;
    this.write({ job: await sendForAdapting({ name, zip: data, note, key: this.told.key }) });
  }

  /** The retraining has come to its end. */
  ended(): void {
    if (!this.told.ended) this.write({ ended: true });
  }

  /** Where a retraining came to nothing, or cells are left to label. */
  backToLabels(): void {
    this.write({ ...afresh(), enough: this.next === null });
  }

  end(outcome: Outcome): void {
    this.write({ outcome });
  }

  async reset(): Promise<void> {
    this.run?.cancel();
    this.run = null;
    this.take([], NEW);
    await this.keeping(() => Promise.all([keptCells.clear(), journeys.clear()]));
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
    const whole = rows.length > 0 && told;
    if (whole || this.rows.length > 0)
      this.take(whole ? rows.sort((a, b) => Number(a.id) - Number(b.id)) : [], whole ? told : NEW);
  }

  private take(rows: KeptCell[], told: KeptJourney): void {
    this.rows = rows;
    this.told = told;
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
    this.touch();
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
    this.at = 'open';
    this.write({ offered: choose(this.candidates, LOT) });
  }

  private write(some: Partial<KeptJourney>): void {
    this.told = { ...this.told, ...some };
    this.touch();
    void this.keeping(() => journeys.put(this.told));
  }

  private async keeping(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      this.unkept = false;
    } catch {
      this.unkept = true; // it goes on without; the screen says so
      this.touch();
    }
  }

  private touch(): void {
    this.version += 1;
    for (const listener of this.listeners) listener();
  }
}

export const journey = new Journey();

/** At most so many, evenly through all of them. */
export function spread<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, at) => all[Math.floor((at * all.length) / most)] as T);
}

/** The pictures themselves, since files that were chosen are out of reach after a reload. */
async function rowsOf(cells: readonly Cell[]): Promise<KeptCell[]> {
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

function foldersOf(rows: readonly KeptCell[]): Set<string> {
  return new Set(rows.map(({ name }) => folderOf(name)));
}
