/** The whole answer to one cell, with the map of what decided: asked for when the cell is looked at. */
import { useCallback, useEffect, useState } from 'react';
import { predict } from '../api/cells';
import type { Predicted } from '../api/types';
import type { Cell } from './cell';

interface Explained {
  told: Predicted | null;
  error: unknown;
  again: () => void;
}

const known = new WeakMap<Cell, Predicted>();
/** Whoever leafs through cells with the arrows asks for those alone on which they stay. */
const LINGER = 180;

export function useExplained(cell: Cell, linger: boolean): Explained {
  const [told, setTold] = useState<Predicted | null>(known.get(cell) ?? null);
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt asks again
  useEffect(() => {
    const found = known.get(cell) ?? null;
    setTold(found);
    setError(null);
    if (found || cell.trouble) return;
    const control = new AbortController();
    const timer = setTimeout(() => void look(cell, control.signal, setTold, setError), linger ? LINGER : 0);
    return () => {
      clearTimeout(timer);
      control.abort();
    };
  }, [cell, linger, attempt]);
  const again = useCallback(() => setAttempt((count) => count + 1), []);
  return { told, error, again };
}

async function look(
  cell: Cell,
  signal: AbortSignal,
  onTold: (told: Predicted) => void,
  onError: (error: unknown) => void,
): Promise<void> {
  try {
    const told = await predict({ name: cell.name, data: await cell.load() }, signal);
    if (signal.aborted) return;
    known.set(cell, told);
    cell.answer ??= answerOf(told);
    onTold(told);
  } catch (error) {
    if (!signal.aborted) onError(error);
  }
}

function answerOf(told: Predicted): NonNullable<Cell['answer']> {
  return {
    prediction: told.prediction,
    probability: told.probabilities?.Parasitized ?? null,
    threshold: told.threshold,
    needsReview: told.needs_review,
    review: told.review ?? null,
    width: told.image.width,
    height: told.image.height,
    version: told.model_version,
    predictionId: told.prediction_id,
    timestamp: told.timestamp,
  };
}
