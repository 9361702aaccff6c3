/** What a person has chosen about their labels, and who they are: small, and kept in this browser (localStorage). */
import { useSyncExternalStore } from 'react';

export interface Preferences {
  /** Keep what is said of cells on Diagnose. */
  collect: boolean;
  /** Send kept labels to the server, as confirmed ones. */
  feedback: boolean;
  /** Who says so: a name or initials. */
  by: string;
  /** The laboratory. */
  site: string;
  /** Of the cells that are looked at now. */
  patient: string;
  slide: string;
}

const PLACE = 'malaria.preferences';
const NONE: Preferences = { collect: false, feedback: true, by: '', site: '', patient: '', slide: '' };
const listeners = new Set<() => void>();
let chosen: Preferences = read();

function read(): Preferences {
  try {
    return { ...NONE, ...(JSON.parse(localStorage.getItem(PLACE) ?? '{}') as Partial<Preferences>) };
  } catch {
    return NONE;
  }
}

export const preferences = {
  current: (): Preferences => chosen,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  change(some: Partial<Preferences>): void {
    chosen = { ...chosen, ...some };
    try {
      localStorage.setItem(PLACE, JSON.stringify(chosen));
    } catch {
      // it holds until the page is closed
    }
    tell();
  },
};

function tell(): void {
  for (const listener of listeners) listener();
}

window.addEventListener('storage', ({ key }) => {
  if (key !== PLACE) return;
  chosen = read(); // as another tab has written it
  tell();
});

export function usePreferences(): Preferences {
  return useSyncExternalStore(preferences.subscribe, preferences.current);
}
