/** Listens to what is said on Diagnose, where a person has asked for that. What it takes is loaded only then. */
import type { Cell } from '../diagnose/cell';
import { decided } from '../diagnose/decided';
import { preferences } from '../parts/preferences';

const AFTER_START = 3_000;

async function keep(cell: Cell): Promise<void> {
  const [{ collection }, { outbox }] = await Promise.all([import('./collection'), import('./outbox')]);
  await collection.collect(cell);
  outbox.soon();
}

/** From now on. What waited to be sent when the page was closed goes out, too. */
export function watch(): void {
  decided.subscribe((cell) => {
    if (preferences.current().collect) void keep(cell);
  });
  setTimeout(async () => {
    if (!preferences.current().collect) return;
    const [{ collection }, { outbox }] = await Promise.all([import('./collection'), import('./outbox')]);
    collection.subscribe(() => {});
    outbox.soon();
  }, AFTER_START);
}
