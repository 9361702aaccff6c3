/** How many labelled cells it takes, by what the server says that it wants. */
import type { UploadNeeds } from '../api/types';
import type { Held } from './groups';
import type { Class } from './labelledZip';

/**
 * So many times what just suffices is asked for. Which cells are kept apart is drawn: of just enough cells too few are
 * kept half of the time, of twice as many hardly ever (tests/unit/test_label_lot.py).
 */
const MARGIN = 2;
/** To label where the server does not say what it wants: what its defaults come to. */
const USUAL = 200;
/** Of few patients the server keeps every other one apart, up to so many, and else one in three, at least. */
const HALVED = 2;

/** Cells of each class to label so that, with the share that is kept apart, enough are left to learn from. */
export const toLearn = (needs: UploadNeeds): number =>
  Math.ceil(needs.learnt_each / (1 - needs.judged_share));

export interface Wanted {
  cells: number;
  /** Of each class. */
  each: number;
  /** Patients. */
  groups: number;
  /** Of fewer patients, too few are kept apart nearly always, however many their cells. */
  least: number;
}

/** To label so that about enough are kept apart to decide on. */
export const toDecide = (needs: UploadNeeds): Wanted => ({
  cells: Math.ceil(needs.judged_cells / needs.judged_share),
  each: Math.ceil(needs.judged_each / needs.judged_share),
  groups: Math.ceil(needs.judged_groups / needs.judged_share),
  least: (needs.judged_groups > HALVED ? 3 : 2) * needs.judged_groups,
});

/** The same so that chance hardly matters. */
export const toBeSure = (needs: UploadNeeds): { lot: number; safe: number } => ({
  lot: lotOf(needs),
  safe: MARGIN * toDecide(needs).each,
});

/** Cells to ask a person about. */
export const lotOf = (needs: UploadNeeds | null): number => (needs ? MARGIN * toDecide(needs).cells : USUAL);

/** What labelled cells would come to. 'chance': to a decision if enough of them happen to be kept apart. */
export type Reach = 'learn' | 'decide' | 'patients' | 'chance' | 'enough';

/** groups: what is kept on one side each, patients where they are known. */
export function reachOf(groups: readonly Held[], needs: UploadNeeds): Reach {
  const [parasitized, uninfected] = [heldOf(groups, 'parasitized'), heldOf(groups, 'uninfected')];
  const few = Math.min(parasitized.all, uninfected.all);
  const all = parasitized.all + uninfected.all;
  const decide = toDecide(needs);
  const { lot, safe } = toBeSure(needs);
  if (few < toLearn(needs)) return 'learn';
  if (few < decide.each || all < decide.cells) return 'decide';
  if (groups.length < decide.least) return 'patients';
  if (Math.min(parasitized.others, uninfected.others) < Math.max(1, needs.judged_each)) return 'patients';
  return few < safe || all < lot ? 'chance' : 'enough';
}

/** others: outside the group that holds most. Where it holds nearly all, either side would be left without. */
function heldOf(groups: readonly Held[], kind: Class): { all: number; others: number } {
  const all = groups.reduce((sum, held) => sum + held[kind], 0);
  return { all, others: all - groups.reduce((most, held) => Math.max(most, held[kind]), 0) };
}
