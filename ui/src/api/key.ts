/** The access key: kept for this tab only, and asked for when the server wants one. */

const PLACE = 'malaria.key';
const listeners = new Set<() => void>();
let key: string | null = read();
let asked: { promise: Promise<boolean>; settle: (given: boolean) => void } | null = null;

function read(): string | null {
  try {
    return sessionStorage.getItem(PLACE);
  } catch {
    return null; // storage may be forbidden; memory is enough
  }
}

function tell(): void {
  for (const listener of listeners) listener();
}

export const keys = {
  current: (): string | null => key,
  /** Whether a person should be asked now. */
  wanted: (): boolean => asked !== null,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  /** Ask for a key. Resolves to true once one is given, to false when the person declines. */
  ask(): Promise<boolean> {
    if (!asked) {
      let settle: (given: boolean) => void = () => {};
      const promise = new Promise<boolean>((resolve) => {
        settle = resolve;
      });
      asked = { promise, settle };
      tell();
    }
    return asked.promise;
  },
  give(text: string): void {
    keep(text.trim());
    const waiting = asked;
    asked = null;
    waiting?.settle(true);
    tell();
  },
  decline(): void {
    const waiting = asked;
    asked = null;
    waiting?.settle(false);
    tell();
  },
  forget(): void {
    keep(null);
    tell();
  },
};

function keep(text: string | null): void {
  key = text;
  try {
    if (text === null) sessionStorage.removeItem(PLACE);
    else sessionStorage.setItem(PLACE, text);
  } catch {
    // memory is enough
  }
}
