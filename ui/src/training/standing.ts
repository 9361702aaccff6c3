/** Where a job stands, as a person sees it: its state and, where it has one, its verdict. */
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleX,
  IconClockHour4,
  IconCopy,
  IconForbid2,
  IconHelpCircle,
  IconProgress,
  type TablerIcon,
} from '@tabler/icons-react';
import type { TaskBrief } from '../api/types';

export const STANDINGS = [
  'queued',
  'running',
  'accepted',
  'rejected',
  'undecidable',
  'failed',
  'cancelled',
  'duplicate',
] as const;
export type Standing = (typeof STANDINGS)[number];

export const LOOKS: Record<Standing, { Icon: TablerIcon; ink: string; soft: string }> = {
  queued: { Icon: IconClockHour4, ink: 'var(--muted)', soft: 'var(--unreadable-soft)' },
  running: { Icon: IconProgress, ink: 'var(--accent)', soft: 'var(--unreadable-soft)' },
  accepted: { Icon: IconCircleCheck, ink: 'var(--uninfected)', soft: 'var(--uninfected-soft)' },
  rejected: { Icon: IconCircleX, ink: 'var(--parasitized)', soft: 'var(--parasitized-soft)' },
  undecidable: { Icon: IconHelpCircle, ink: 'var(--review)', soft: 'var(--review-soft)' },
  failed: { Icon: IconAlertTriangle, ink: 'var(--parasitized)', soft: 'var(--parasitized-soft)' },
  cancelled: { Icon: IconForbid2, ink: 'var(--unreadable)', soft: 'var(--unreadable-soft)' },
  duplicate: { Icon: IconCopy, ink: 'var(--unreadable)', soft: 'var(--unreadable-soft)' },
};

type Told = Pick<TaskBrief, 'state' | 'verdict'>;

export function standingOf({ state, verdict }: Told): Standing {
  return state === 'succeeded' ? (verdict ?? 'undecidable') : state;
}

/** Whether it will change by itself. */
export const alive = ({ state }: Pick<TaskBrief, 'state'>): boolean =>
  state === 'queued' || state === 'running';

/** The stages of a job, in order. */
export const STAGES = ['queued', 'ingest', 'train', 'evaluate', 'gate'] as const;
export type Stage = (typeof STAGES)[number];

/** The stage of a step; what the trainer calls by names of its own is training. */
export function stageOf(step: string | null | undefined): Stage {
  if (!step) return 'queued';
  if (step === 'ingest' || step === 'evaluate') return step;
  return step === 'publish' || step === 'done' ? 'gate' : 'train';
}

/** How many are done of how many, where a step tells so: `surrounded: 256 of 470 cells`. Its other words are jargon. */
export function countedOf(
  message: string,
  told: (count: number) => string,
): { done: string; total: string } | null {
  const [, done, total] = /([\d,]+) of ([\d,]+)/.exec(message) ?? [];
  const number = (text: string) => told(Number(text.replaceAll(',', '')));
  return done && total ? { done: number(done), total: number(total) } : null;
}

export type Reached = 'done' | 'now' | 'later' | 'stopped';

/** How far each stage is. */
export function reached(job: Told & Pick<TaskBrief, 'step'>, stage: Stage): Reached {
  if (job.state === 'succeeded') return 'done';
  const at = STAGES.indexOf(job.state === 'queued' ? 'queued' : stageOf(job.step));
  const place = STAGES.indexOf(stage);
  if (place !== at) return place < at ? 'done' : 'later';
  return alive(job) ? 'now' : 'stopped';
}
