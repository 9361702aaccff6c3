/** Curves of versions as rows that a chart takes. */
import type { SetCurves } from '../api/types';

export type Row = Record<string, number | null>;
export const LINES = ['a', 'b'] as const;

/** Rows of several curves over one axis, in its order; a curve has no value where it has no point. */
function merged(curves: readonly (readonly { x: number; y: number }[])[]): Row[] {
  return curves
    .flatMap((points, at) => points.map(({ x, y }) => ({ x, [LINES[at] ?? 'a']: y }) as Row))
    .sort((one, other) => (one.x ?? 0) - (other.x ?? 0) || height(one) - height(other));
}

const height = (row: Row): number => row.a ?? row.b ?? row.ideal ?? 0;

export function rocOf(curves: readonly (SetCurves | undefined)[]): Row[] {
  return merged(
    curves.map((curve) =>
      (curve?.roc ?? []).map((point) => ({ x: point.false_positive_rate, y: point.sensitivity })),
    ),
  );
}

/** With the diagonal, on which probabilities mean what they say. */
export function reliabilityOf(curves: readonly (SetCurves | undefined)[]): Row[] {
  const rows = merged(
    curves.map((curve) => (curve?.reliability ?? []).map(({ said, seen }) => ({ x: said, y: seen }))),
  );
  return [{ x: 0, ideal: 0 }, ...rows, { x: 1, ideal: 1 }];
}

export type Rate = 'sensitivity' | 'falsePositives';
const ENOUGH = 10;

/** The rate of each patient with enough cells, ascending. */
export function ratesOf(curve: SetCurves, rate: Rate): number[] {
  return curve.patients
    .map((one) =>
      rate === 'sensitivity'
        ? { cells: one.parasitized, count: one.found }
        : { cells: one.uninfected, count: one.called },
    )
    .filter(({ cells }) => cells >= ENOUGH)
    .map(({ cells, count }) => count / cells)
    .sort((a, b) => a - b);
}

/** The part of 0 to 1 on which rates lie, in tenths: at least the half that is hoped for. */
export function endsOf(rates: readonly number[], rate: Rate): [number, number] {
  return rate === 'sensitivity'
    ? [Math.floor(10 * Math.min(0.5, ...rates)) / 10, 1]
    : [0, Math.ceil(10 * Math.max(0.5, ...rates)) / 10];
}

export function median(sorted: readonly number[]): number {
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1] ?? 0, sorted[Math.floor(middle)] ?? 0];
  return (low + high) / 2;
}
