/** The four meanings and their kin: each has a colour, an icon of its own shape and, where it is used, a word. */
import {
  IconCircleCheck,
  IconClockHour4,
  IconEye,
  IconForbid2,
  IconPhotoOff,
  IconVirus,
  type TablerIcon,
} from '@tabler/icons-react';
import type { Cell, Standing } from './cell';

export type Mark = 'parasitized' | 'uninfected' | 'review' | 'excluded' | 'unreadable' | 'waiting';

interface Look {
  Icon: TablerIcon;
  /** For text and icons on paper. */
  ink: string;
  soft: string;
}

export const MARKS: Record<Mark, Look> = {
  parasitized: { Icon: IconVirus, ink: 'var(--parasitized)', soft: 'var(--parasitized-soft)' },
  uninfected: { Icon: IconCircleCheck, ink: 'var(--uninfected)', soft: 'var(--uninfected-soft)' },
  review: { Icon: IconEye, ink: 'var(--review)', soft: 'var(--review-soft)' },
  excluded: { Icon: IconForbid2, ink: 'var(--unreadable)', soft: 'var(--unreadable-soft)' },
  unreadable: { Icon: IconPhotoOff, ink: 'var(--unreadable)', soft: 'var(--unreadable-soft)' },
  waiting: { Icon: IconClockHour4, ink: 'var(--muted)', soft: 'var(--unreadable-soft)' },
};

export const MARK_OF: Record<Standing, Mark> = {
  infected: 'parasitized',
  clear: 'uninfected',
  review: 'review',
  excluded: 'excluded',
  unreadable: 'unreadable',
  waiting: 'waiting',
};

/** What the model said, whatever it said about its doubts. */
export function saidOf(cell: Cell): Exclude<Mark, 'review'> {
  if (cell.trouble) return 'unreadable';
  if (!cell.answer) return 'waiting';
  if (cell.answer.prediction === null) return 'excluded';
  return cell.answer.prediction === 'Parasitized' ? 'parasitized' : 'uninfected';
}
