/** Before and after on the laboratory's own cells that were kept apart, as the gate's receipt counts them. */
import type { Rule, Task } from '../api/types';
import { type Rate, rate } from '../parts/interval';
import { outcomeOf } from '../training/receipt';

export interface Side {
  sensitivity: Rate | null;
  specificity: Rate | null;
  right: Rate | null;
}

export interface Judged {
  parasitized: number;
  uninfected: number;
  before: Side;
  after: Side;
}

export interface MovedCell {
  /** Its path in the ZIP. */
  name: string;
  gained: boolean;
}

interface Confusion {
  tp: number;
  fp: number;
  tn: number;
  fn: number;
}

/** Null where no cell was kept apart. */
export function judgedOf(receipt: Task['receipt']): Judged | null {
  const site = receipt.site as {
    champion: { confusion: Confusion };
    challenger: { confusion: Confusion };
  } | null;
  if (!site) return null;
  const { tp, fp, tn, fn } = site.champion.confusion;
  return {
    parasitized: tp + fn,
    uninfected: tn + fp,
    before: sideOf(site.champion.confusion),
    after: sideOf(site.challenger.confusion),
  };
}

function sideOf({ tp, fp, tn, fn }: Confusion): Side {
  return {
    sensitivity: rate(tp, tp + fn),
    specificity: rate(tn, tn + fp),
    right: rate(tp + tn, tp + fp + tn + fn),
  };
}

/** The kept-apart cells that the two models answer differently. */
export function movedOf(receipt: Task['receipt']): MovedCell[] {
  const moved = receipt.moved as { site?: MovedCell[] } | undefined;
  return moved?.site ?? [];
}

export const ENDED: readonly Task['state'][] = ['succeeded', 'failed', 'cancelled', 'duplicate'];

/** What a person may do now. */
export type Choice = 'served' | 'may-use' | 'doubtful' | 'stays' | 'broken';

export function choiceOf(task: Task): Choice {
  if (task.state !== 'succeeded' || !task.verdict) return 'broken';
  if (task.verdict === 'accepted') return 'served';
  if (task.verdict !== 'undecidable' || !task.version) return 'stays';
  return ((task.receipt?.criteria ?? []) as Rule[]).some(speaksAgainst) ? 'doubtful' : 'may-use';
}

const LABELS = ['labels', 'doubted labels'];

/** Whether an open rule is one that more cells alone do not settle: labels in doubt, or a figure that fell. */
const speaksAgainst = (rule: Rule): boolean =>
  outcomeOf(rule) === 'open' && (LABELS.includes(rule.name) || (rule.value ?? 0) < 0);
