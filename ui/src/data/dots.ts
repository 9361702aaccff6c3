import type { FeatureMap } from '../api/types';
import type { Dot } from './Scatter';

/** Remembered cells as dots. */
export const dotsOf = (map: FeatureMap, behind: boolean): Dot[] =>
  map.points.map(({ x, y, label }) => ({
    x,
    y,
    label: label === 'Parasitized' ? 'Parasitized' : 'Uninfected',
    behind,
  }));
