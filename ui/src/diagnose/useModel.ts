/** The model that answers, for its review band and digest. Asked for once a version. */
import { useEffect, useState } from 'react';
import { model } from '../api/cells';
import type { ServedModel } from '../api/types';

let kept: ServedModel | null = null;

/** version: the one that answered; null: not known yet. The answer is null until it is told, or where another serves now. */
export function useModel(version: string | null): ServedModel | null {
  const [told, setTold] = useState<ServedModel | null>(kept);
  useEffect(() => {
    if (version === null || kept?.version === version) {
      setTold(kept);
      return;
    }
    let current = true;
    model().then(
      (found) => {
        kept = found;
        if (current) setTold(found);
      },
      () => {}, // the answer stands without it; the bar then shows no band
    );
    return () => {
      current = false;
    };
  }, [version]);
  return version !== null && told?.version !== version ? null : told;
}
