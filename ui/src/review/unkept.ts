/** Whether labels that should be kept are not. So small that Diagnose may know without what keeps them. */
const listeners = new Set<() => void>();
let failing = false;

export const unkept = {
  current: (): boolean => failing,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  set(now: boolean): void {
    failing = now;
    for (const listener of listeners) listener();
  },
};
