/** Listens to what is said on Diagnose, where a person has asked for that. What it takes is loaded only then. */
import { notifications } from '@mantine/notifications';
import i18next from 'i18next';
import type { Cell } from '../diagnose/cell';
import { decided } from '../diagnose/decided';
import { persist } from '../parts/lasting';
import { preferences } from '../parts/preferences';
import { unkept } from './unkept';

const AFTER_START = 3_000;

/** A label waits for them, where the server is away. */
const tools = () => persist('collection', () => Promise.all([import('./collection'), import('./outbox')]));

async function keep(cell: Cell): Promise<void> {
  const [{ collection }, { outbox }] = await tools();
  await collection.collect(cell);
  const failed = collection.failure() !== null;
  unkept.set(failed);
  if (failed) tellUnkept();
  outbox.soon();
}

/** What is lost must be told where it is lost; Review tells it, too. */
function tellUnkept(): void {
  notifications.show({
    id: 'unkept',
    color: 'red',
    autoClose: false,
    title: i18next.t('review.unkept.title'),
    message: i18next.t('review.unkept.todo'),
  });
}

/** From now on. What waited to be sent when the page was closed goes out, too. */
export function watch(): void {
  decided.subscribe((cell) => {
    if (preferences.current().collect) void keep(cell);
  });
  setTimeout(async () => {
    if (!preferences.current().collect) return;
    const [{ collection }, { outbox }] = await tools();
    collection.subscribe(() => {});
    outbox.soon();
  }, AFTER_START);
}
