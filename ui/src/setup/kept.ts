/** What of a set-up outlives a reload, and how it is kept. */
import type { Answer, Decision, Reason } from '../diagnose/cell';
import { table } from '../parts/keep';
import type { Offered } from './choose';

export interface KeptCell {
  id: string;
  name: string;
  picture: Blob;
  answer: Answer | null;
  trouble: Reason | null;
  features: number[] | null;
}

export interface Outcome {
  what: 'used' | 'left';
  /** What serves now. */
  version: string;
}

export interface KeptJourney {
  id: 'journey';
  /** How many pictures were brought, of which so many were taken as are kept. */
  brought: number;
  offered: Offered[];
  labels: Record<string, Decision>;
  /** The order in which labels were given, for taking the last one back. */
  order: string[];
  /** Whether each folder is a patient or slide of its own. */
  byFolder: boolean;
  /** Whether the person has gone on from labelling. */
  enough: boolean;
  /** Of the next hand-in, by which the server knows a repeated one. */
  key: string;
  job: string | null;
  /** Whether the job has come to its end, whatever that was. */
  ended: boolean;
  outcome: Outcome | null;
}

export const NEW: KeptJourney = {
  id: 'journey',
  brought: 0,
  offered: [],
  labels: {},
  order: [],
  byFolder: false,
  enough: false,
  key: '',
  job: null,
  ended: false,
  outcome: null,
};

export const journeys = table<KeptJourney>('setup');
export const cells = table<KeptCell>('setupCells');
