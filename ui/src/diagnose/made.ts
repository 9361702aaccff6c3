/** Cells for tests. */
import type { Answer, Cell } from './cell';

export function cell(id: number, given: Partial<Cell> = {}): Cell {
  return {
    id,
    name: `cell-${id}.png`,
    size: 1000,
    load: async () => new Blob(['picture']),
    answer: null,
    trouble: null,
    decision: null,
    ...given,
  };
}

export function answer(probability: number | null, given: Partial<Answer> = {}): Answer {
  return {
    prediction: probability === null ? null : probability >= 0.5 ? 'Parasitized' : 'Uninfected',
    probability,
    threshold: 0.5,
    needsReview: false,
    review: null,
    width: 100,
    height: 90,
    version: 'v1',
    predictionId: 'id',
    timestamp: '2026-01-02T03:04:05Z',
    ...given,
  };
}
