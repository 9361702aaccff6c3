/** The labels that are kept for review, in this browser. Every change is written down before it is shown. */
import type { Cell } from '../diagnose/cell';
import { table } from '../parts/keep';
import { preferences } from '../parts/preferences';
import { changed, contentId, isClass, type Label } from './label';

const kept = table<Label>('labels');
const listeners = new Set<() => void>();
let labels: readonly Label[] | null = null;
let reading: Promise<void> | null = null;
let turn: Promise<unknown> = Promise.resolve();
/** Why the browser did not keep the last one. */
let failure: unknown = null;

function become(next: readonly Label[], why: unknown = null): void {
  labels = next;
  failure = why;
  for (const listener of listeners) listener();
}

/** One change after another, so that none writes over another. */
function inTurn(work: () => Promise<void>): Promise<void> {
  const done = turn.then(async () => {
    try {
      await load();
      await work();
    } catch (error) {
      become(labels ?? [], error);
    }
  });
  turn = done;
  return done;
}

async function load(): Promise<void> {
  if (labels) return;
  reading ??= read();
  reading.catch(() => {
    reading = null;
  });
  await reading;
}

async function read(): Promise<void> {
  become((await kept.all()).sort((a, b) => a.at - b.at));
}

kept.elsewhere(async () => {
  if (labels) await inTurn(read);
});

async function write(...rows: Label[]): Promise<void> {
  await kept.put(...rows);
  const fresh = new Map(rows.map((row) => [row.id, row]));
  const stay = (labels ?? []).map((label) => fresh.get(label.id) ?? label);
  const known = new Set(stay.map(({ id }) => id));
  become([...stay, ...rows.filter(({ id }) => !known.has(id))]);
}

async function erase(...ids: string[]): Promise<void> {
  await kept.remove(...ids);
  become((labels ?? []).filter(({ id }) => !ids.includes(id)));
}

export const collection = {
  /** Null: not read yet. */
  labels: (): readonly Label[] | null => labels,
  failure: (): unknown => failure,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    void inTurn(async () => {});
    return () => listeners.delete(listener);
  },

  /** Keep what was said of a cell on Diagnose; what was taken back there is taken out here. */
  collect(cell: Cell): Promise<void> {
    const { decision, answer } = cell;
    return inTurn(async () => {
      const picture = await cell.load();
      const id = contentId(new Uint8Array(await picture.arrayBuffer()));
      const before = labels?.find((label) => label.id === id);
      if (!answer || !isClass(decision)) {
        if (before) await erase(id);
        return;
      }
      const { patient, slide } = preferences.current();
      const fresh: Label = {
        id,
        name: cell.name,
        picture,
        said: answer,
        label: decision,
        patient: patient.trim(),
        slide: slide.trim(),
        at: Date.now(),
        told: { state: 'waiting' },
      };
      await write(before ? { ...changed(before, { label: decision }), at: fresh.at } : fresh);
    });
  },
  change(ids: readonly string[], some: Partial<Pick<Label, 'label' | 'patient' | 'slide'>>): Promise<void> {
    return inTurn(() => write(...found(ids).map((label) => ({ ...changed(label, some), at: Date.now() }))));
  },
  /** What became of telling the server of a label, unless it has been changed meanwhile. */
  told(label: Label, told: Label['told']): Promise<void> {
    return inTurn(async () => {
      const [now] = found([label.id]);
      if (now && now.label === label.label && now.patient === label.patient) await write({ ...now, told });
    });
  },
  takeOut: (id: string): Promise<void> => inTurn(() => erase(id)),
  bringBack: (label: Label): Promise<void> => inTurn(() => write(label)),
  empty: (): Promise<void> =>
    inTurn(async () => {
      await kept.clear();
      become([]);
    }),
};

function found(ids: readonly string[]): Label[] {
  return (labels ?? []).filter(({ id }) => ids.includes(id));
}
