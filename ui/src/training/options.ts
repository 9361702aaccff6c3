/** What may be chosen about a retraining, with the server's limits: a test holds them to its description. */
import type { Chosen } from '../api/types';

export const METHODS = ['auto', 'adapt', 'full'] as const;
export type Method = (typeof METHODS)[number];
export const NETWORKS = ['mobilenet_v2', 'compact_cnn', 'ensemble'] as const;
export const LIMITS = {
  epochs: { min: 1, max: 200, whole: true },
  batch_size: { min: 1, max: 512, whole: true },
  learning_rate: { min: 1e-6, max: 1, whole: false },
} as const;
export type Measure = keyof typeof LIMITS;
export const MEASURES = Object.keys(LIMITS) as Measure[];
export const MOST_NOTE = 1000;

/** As they stand in the form. A number is '' where it is left to the server; so is the network. */
export interface Options {
  method: Method;
  network: string;
  note: string;
  epochs: number | string;
  batch_size: number | string;
  learning_rate: number | string;
}

export const DEFAULTS: Options = {
  method: 'auto',
  network: '',
  note: '',
  epochs: '',
  batch_size: '',
  learning_rate: '',
};

/** Adapting refits the head in one step: it has no epochs. */
export const takesMeasures = (options: Options): boolean => options.method !== 'adapt';

export function wrong(options: Options, name: Measure): boolean {
  const told = options[name];
  if (!takesMeasures(options) || told === '') return false;
  const { min, max, whole } = LIMITS[name];
  const value = Number(told);
  return !(value >= min && value <= max) || (whole && !Number.isInteger(value));
}

export const right = (options: Options): boolean => !MEASURES.some((name) => wrong(options, name));

/** What is told to the server: nothing of what is left to it. */
export function chosen(options: Options): Chosen {
  const told: Chosen = options.method === 'auto' ? {} : { method: options.method };
  if (options.note.trim()) told.note = options.note.trim();
  if (!takesMeasures(options)) return told;
  if (options.network) told.network = options.network;
  for (const name of MEASURES) if (options[name] !== '') told[name] = Number(options[name]);
  return told;
}
