/**
 * Many cells on their way to the server: in parts, two at a time, with pause, resume and cancel.
 *
 * Nothing is lost by a failing server. What was answered stays, what was not goes back to the head of the queue, and
 * the run stalls: it asks now and then whether the server is back, and goes on by itself.
 */
import { health, predictMany } from '../api/cells';
import { Failure } from '../api/failure';
import type { BatchAnswer, BatchEntry } from '../api/types';
import type { Cell } from './cell';

export type RunState = 'running' | 'paused' | 'stalled' | 'done' | 'cancelled';

const AT_ONCE = 2;
/** A part stays under what serverless platforms take in one request. */
const PART_CELLS = 32;
const PART_BYTES = 3.5 * 2 ** 20;
const LOOK_AGAIN = 10_000;
const TELL_EVERY = 150;

export class Run {
  state: RunState = 'running';
  /** Why it stalled. */
  failure: unknown = null;
  private queue: Cell[];
  private readonly flying = new Set<AbortController>();
  private readonly listeners = new Set<() => void>();
  private version = 0;
  private telling: ReturnType<typeof setTimeout> | null = null;
  private looking: ReturnType<typeof setTimeout> | null = null;
  private spent = 0;
  private since: number | null = null;
  private answered = 0;

  constructor(
    readonly cells: Cell[],
    /** Whether to ask where cells lie on the model's feature map. */
    private readonly placed = false,
  ) {
    this.queue = cells.filter((cell) => !cell.answer && !cell.trouble);
  }

  start(): void {
    this.go('running');
  }

  pause(): void {
    if (this.state === 'running' || this.state === 'stalled') this.go('paused');
  }

  resume(): void {
    if (this.state === 'paused' || this.state === 'stalled') this.go('running');
  }

  /** End it. What was answered stays. */
  cancel(): void {
    if (this.ended) return;
    this.go('cancelled');
    for (const part of this.flying) part.abort();
  }

  get ended(): boolean {
    return this.state === 'done' || this.state === 'cancelled';
  }

  get progress(): { settled: number; total: number; secondsLeft: number | null } {
    const total = this.cells.length;
    const settled = this.cells.reduce((count, cell) => count + (cell.answer || cell.trouble ? 1 : 0), 0);
    const spent = this.spent + (this.since === null ? 0 : Date.now() - this.since);
    const left = this.answered > 0 ? (spent / this.answered / 1000) * (total - settled) : null;
    return { settled, total, secondsLeft: left };
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = (): number => this.version;

  /** Say that a cell has changed. */
  touch(): void {
    this.version += 1;
    for (const listener of this.listeners) listener();
  }

  private go(state: RunState): void {
    if (this.looking) clearTimeout(this.looking);
    this.looking = null;
    if (state !== 'stalled') this.failure = null;
    this.state = state;
    this.clock();
    this.touch();
    this.pump();
  }

  private clock(): void {
    const running = this.state === 'running';
    if (running && this.since === null) this.since = Date.now();
    if (!running && this.since !== null) {
      this.spent += Date.now() - this.since;
      this.since = null;
    }
  }

  private pump(): void {
    while (this.state === 'running' && this.flying.size < AT_ONCE && this.queue.length > 0) {
      void this.send(this.take());
    }
    if (this.state === 'running' && this.flying.size === 0 && this.queue.length === 0) {
      this.go('done');
    }
  }

  private take(): Cell[] {
    let bytes = 0;
    let count = 0;
    for (const cell of this.queue) {
      bytes += cell.size;
      if (count > 0 && (count >= PART_CELLS || bytes > PART_BYTES)) break;
      count += 1;
    }
    return this.queue.splice(0, count);
  }

  private async send(part: Cell[]): Promise<void> {
    const control = new AbortController();
    this.flying.add(control);
    try {
      await this.ask(part, control.signal);
    } catch (error) {
      if (!control.signal.aborted) this.stall(error);
    } finally {
      const unanswered = part.filter((cell) => !cell.answer && !cell.trouble);
      this.queue.unshift(...unanswered);
      this.flying.delete(control);
      this.tellSoon();
      this.pump();
    }
  }

  /** Answer each cell of a part, or say why it has none. Throws where the server cannot be asked now. */
  private async ask(part: Cell[], signal: AbortSignal): Promise<void> {
    const readable = await opened(part);
    if (readable.length === 0) return;
    try {
      const pictures = readable.map(({ cell, data }) => ({ name: cell.name, data }));
      this.settle(
        readable.map(({ cell }) => cell),
        await predictMany(pictures, signal, this.placed),
      );
    } catch (error) {
      if (!blames(error)) throw error;
      if (readable.length === 1) {
        const { code, detail, title } = error.problem;
        for (const { cell } of readable) cell.trouble = { code, text: detail || title };
        return;
      }
      const half = Math.ceil(readable.length / 2);
      const cells = readable.map(({ cell }) => cell);
      await this.ask(cells.slice(0, half), signal);
      await this.ask(cells.slice(half), signal);
    }
  }

  private settle(cells: Cell[], answer: BatchAnswer): void {
    if (answer.results.length !== cells.length) throw new Failure('nonsense');
    for (const [place, entry] of answer.results.entries()) {
      const cell = cells[place];
      if (cell) settleOne(cell, entry, answer);
    }
    this.answered += cells.length;
  }

  private stall(error: unknown): void {
    if (this.state !== 'running') return;
    this.failure = error;
    this.go('stalled');
    if (error instanceof Failure && error.passing) this.lookAgain();
  }

  private lookAgain(): void {
    this.looking = setTimeout(() => {
      health().then(
        () => this.state === 'stalled' && this.resume(),
        () => this.state === 'stalled' && this.lookAgain(),
      );
    }, LOOK_AGAIN);
  }

  /** Answers come many times a second; the page is told less often. */
  private tellSoon(): void {
    this.telling ??= setTimeout(() => {
      this.telling = null;
      this.touch();
    }, TELL_EVERY);
  }
}

/** Whether the server finds fault with the pictures themselves, so that asking again would not help. */
function blames(error: unknown): error is Failure & { problem: NonNullable<Failure['problem']> } {
  return error instanceof Failure && error.problem !== null && [400, 413, 415, 422].includes(error.status);
}

async function opened(part: Cell[]): Promise<{ cell: Cell; data: Blob }[]> {
  const found: { cell: Cell; data: Blob }[] = [];
  for (const cell of part) {
    try {
      found.push({ cell, data: await cell.load() });
    } catch (error) {
      cell.trouble = {
        code: 'unreadable-file',
        text: error instanceof Error ? error.message : String(error),
      };
    }
  }
  return found;
}

function settleOne(cell: Cell, entry: BatchEntry, answer: BatchAnswer): void {
  if (entry.error) {
    cell.trouble = { code: entry.error.code, text: entry.error.detail };
    return;
  }
  const [x, y] = entry.place ?? [];
  cell.answer = {
    ...(x !== undefined && y !== undefined ? { place: [x, y] as const } : {}),
    prediction: entry.prediction ?? null,
    probability: entry.probabilities?.Parasitized ?? null,
    threshold: answer.threshold,
    needsReview: entry.needs_review ?? false,
    review: entry.review ?? null,
    width: entry.image?.width ?? 0,
    height: entry.image?.height ?? 0,
    version: answer.model_version,
    predictionId: entry.prediction_id ?? '',
    timestamp: answer.timestamp,
  };
}
