/** What the page knows of one picture, and what follows from that. */

export type Decision = 'parasitized' | 'uninfected' | 'excluded';

export interface Reason {
  /** Stable; the page has words for those it knows. */
  code: string;
  /** The server's own words. */
  text: string;
}

export interface Answer {
  /** Null: surely not one good cell. */
  prediction: 'Parasitized' | 'Uninfected' | null;
  /** Calibrated P(parasitized); null where there is no prediction. */
  probability: number | null;
  threshold: number;
  needsReview: boolean;
  review: Reason | null;
  width: number;
  height: number;
  version: string;
  predictionId: string;
  timestamp: string;
  /** On the model's feature map, where it was asked for. */
  place?: readonly [number, number];
}

export interface Cell {
  /** Place among the cells that were brought, from 0. */
  readonly id: number;
  /** With its folders, as it was brought. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly load: () => Promise<Blob>;
  answer: Answer | null;
  /** Why there is no answer and will be none. */
  trouble: Reason | null;
  /** What a person said. */
  decision: Decision | null;
}

/** Where the grid shows a cell: by what was answered, whatever a person said since, so that nothing jumps. */
export const GROUPS = ['parasitized', 'uninfected', 'noCell', 'unreadable', 'waiting'] as const;
export type Group = (typeof GROUPS)[number];

export function groupOf(cell: Cell): Group {
  if (cell.trouble) return 'unreadable';
  if (!cell.answer) return 'waiting';
  if (cell.answer.prediction === null) return 'noCell';
  return cell.answer.prediction === 'Parasitized' ? 'parasitized' : 'uninfected';
}

/** How a cell counts. What a person said comes before what the model did. */
export const STANDINGS = ['infected', 'clear', 'review', 'excluded', 'unreadable', 'waiting'] as const;
export type Standing = (typeof STANDINGS)[number];
const DECIDED: Record<Decision, Standing> = {
  parasitized: 'infected',
  uninfected: 'clear',
  excluded: 'excluded',
};

export function standingOf(cell: Cell): Standing {
  if (cell.decision) return DECIDED[cell.decision];
  if (cell.trouble) return 'unreadable';
  if (!cell.answer) return 'waiting';
  if (cell.answer.needsReview) return 'review';
  return cell.answer.prediction === 'Parasitized' ? 'infected' : 'clear';
}

/** How far an answer is from the operating point, in logits; 0 is a toss-up. No answer comes first, too. */
export function distance(cell: Cell): number {
  const answer = cell.answer;
  if (!answer || answer.probability === null) return 0;
  return Math.abs(logit(answer.probability) - logit(answer.threshold));
}

const SURE = 1e-7;

function logit(probability: number): number {
  const p = Math.min(1 - SURE, Math.max(SURE, probability));
  return Math.log(p / (1 - p));
}
