import { beforeEach, describe, expect, it, vi } from 'vitest';
import { answer } from '../diagnose/made';
import type { Table } from '../parts/keep';
import type { KeptCell, KeptJourney } from './kept';

/** The browser's store. `held`: what is to be written waits until it is let go. `full`: nothing is taken. */
const store = vi.hoisted(() => ({
  tables: {} as Record<string, Map<string, unknown>>,
  held: null as (() => void)[] | null,
  full: false,
  heard: [] as (() => Promise<void>)[],
  puts: 0,
}));

vi.mock('../parts/keep', () => ({
  table<Row extends { id: string }>(name: string): Table<Row> {
    const rows = () => store.tables[name] as Map<string, Row>;
    async function change(what: () => void): Promise<void> {
      if (store.held) await new Promise<void>((go) => store.held?.push(go));
      if (store.full) throw new Error('full');
      what();
    }
    return {
      all: async () => [...rows().values()].map((row) => ({ ...row })),
      put(...some) {
        store.puts += 1;
        const kept = some.map((row) => ({ ...row })); // as they are now, as a browser takes them
        return change(() => {
          for (const row of kept) rows().set(row.id, row);
        });
      },
      remove: (...ids) => change(() => ids.map((id) => rows().delete(id))),
      clear: () => change(() => rows().clear()),
      elsewhere: (listener) => void store.heard.push(listener),
    };
  },
}));

async function letGo(): Promise<void> {
  const waiting = store.held ?? [];
  store.held = null;
  for (const go of waiting) go();
  await settled();
}

/** All that needs no store is done. */
const settled = () => new Promise((done) => setTimeout(done));

/** The page, opened or loaded anew. */
async function opened() {
  vi.resetModules();
  const { journey } = await import('./journey');
  journey.subscribe(() => {});
  await settled();
  return journey;
}

/** What a page would find that is loaded anew just now, whatever is still on its way into the store. */
const reloaded = () => [...(store.tables.setup?.values() ?? [])][0] as KeptJourney | undefined;

beforeEach(async () => {
  const { NEW } = await import('./kept');
  const cell = (id: string): KeptCell => {
    const name = `smear/${id}.png`;
    return { id, name, picture: new Blob([id]), answer: answer(0.6), trouble: null, features: null };
  };
  const ids = ['0', '1', '2', '3'];
  const told: KeptJourney = { ...NEW, brought: 4, offered: ids.map((id) => ({ id, why: 'unsure' })) };
  const tables = {
    setup: new Map([['journey', told]]),
    setupCells: new Map(ids.map((id) => [id, cell(id)])),
  };
  Object.assign(store, { tables, held: null, full: false, heard: [], puts: 0 });
});

describe('a step', () => {
  it('is on the screen only once it is kept', async () => {
    const journey = await opened();
    journey.decide('0', 'parasitized');
    await settled();
    store.held = [];
    journey.enough(true);
    await settled();
    expect(reloaded()?.enough).toBe(false);
    expect(journey.step).toBe('label');
    await letGo();
    expect(reloaded()?.enough).toBe(true);
    expect(journey.step).toBe('send');
    expect((await opened()).step).toBe('send');
  });

  it('comes with the last label, and both are kept', async () => {
    const journey = await opened();
    for (const id of ['0', '1', '2']) journey.decide(id, 'uninfected');
    await settled();
    store.held = [];
    journey.decide('3', 'parasitized');
    await settled();
    expect([journey.step, journey.next]).toEqual(['label', null]);
    await letGo();
    expect([journey.step, journey.counts]).toEqual(['send', { parasitized: 1, uninfected: 3 }]);
    expect(reloaded()).toMatchObject({ enough: true, order: ['0', '1', '2', '3'] });
  });

  it('comes where the browser keeps nothing, which is told until it does', async () => {
    const journey = await opened();
    store.full = true;
    journey.decide('0', 'parasitized');
    journey.enough(true);
    await settled();
    expect([journey.step, journey.unkept]).toEqual(['send', true]);
    expect(reloaded()?.order).toEqual([]);
    store.full = false;
    journey.byFolder(true);
    await settled();
    expect(journey.unkept).toBe(false);
    expect(reloaded()).toMatchObject({ enough: true, byFolder: true, labels: { 0: 'parasitized' } });
  });

  it('that asks about cells comes once they are kept, and none of others', async () => {
    vi.stubGlobal('fetch', () => new Promise(() => {}));
    store.tables.setup?.clear(); // as a reload may leave it
    const journey = await opened();
    store.held = [];
    const done = journey.bring([new File(['a'], 'a.png'), new File(['b'], 'b.png')]);
    await settled();
    expect(journey.step).toBe('bring');
    await letGo();
    expect(await done).toBe(true);
    expect([journey.step, journey.run?.cells.length]).toEqual(['asking', 2]);
    expect([...(store.tables.setupCells?.keys() ?? [])]).toEqual(['0', '1']);
    expect(reloaded()?.brought).toBe(2);
    journey.run?.cancel();
    vi.unstubAllGlobals();
  });

  it('is the first again only once all is removed', async () => {
    const journey = await opened();
    store.held = [];
    const done = journey.reset();
    await settled();
    expect(journey.step).toBe('label');
    await letGo();
    await done;
    expect(journey.step).toBe('bring');
    expect([store.tables.setup?.size, store.tables.setupCells?.size]).toEqual([0, 0]);
  });
});

describe('labels', () => {
  it('are taken as quickly as they are given, and told as kept once they are', async () => {
    const journey = await opened();
    store.held = [];
    for (const decision of ['parasitized', 'uninfected', 'excluded'] as const) {
      journey.decide(journey.next?.id ?? '', decision);
      await settled();
    }
    expect(journey.next?.id).toBe('3');
    expect(journey.journey.order).toEqual([]);
    await letGo();
    const labels = { 0: 'parasitized', 1: 'uninfected', 2: 'excluded' };
    expect(reloaded()?.labels).toEqual(labels);
    expect(journey.journey.labels).toEqual(labels);
    expect(store.puts).toBe(2); // those that came while the first was written went together
  });

  it('taken back at once are kept as taken back', async () => {
    const journey = await opened();
    store.held = [];
    journey.decide('0', 'parasitized');
    journey.decide('1', 'parasitized');
    journey.undo();
    await settled();
    expect(journey.next?.id).toBe('1');
    await letGo();
    expect(reloaded()).toMatchObject({ labels: { 0: 'parasitized' }, order: ['0'], enough: false });
  });

  it('outlive what another tab has kept meanwhile', async () => {
    const journey = await opened();
    for (const listener of store.heard) void listener();
    journey.decide('0', 'parasitized');
    await settled();
    expect(journey.journey.order).toEqual(['0']);
    expect(reloaded()?.order).toEqual(['0']);
  });

  it('are grouped as they would be sent: by folder, or by what names tell', async () => {
    const journey = await opened();
    journey.decide('0', 'parasitized');
    journey.decide('1', 'uninfected');
    journey.decide('2', 'excluded');
    await settled();
    expect(journey.groups).toHaveLength(2);
    journey.byFolder(true);
    await settled();
    expect(journey.groups).toEqual([{ parasitized: 1, uninfected: 1 }]);
  });
});
