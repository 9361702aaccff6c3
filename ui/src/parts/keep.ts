/**
 * What outlives a reload: tables in the browser's own database (IndexedDB), on this device and in this browser only.
 * Pictures are too large for localStorage. Each call ends once the browser has written, or throws Unkept.
 */

const NAME = 'malaria';
const VERSION = 1;
const TABLES = ['labels', 'setup', 'setupCells'] as const;
type TableName = (typeof TABLES)[number];

/** The browser does not keep it: storage is full, or forbidden as in some private windows. */
export class Unkept extends Error {
  override readonly name = 'Unkept';
}

export interface Table<Row> {
  all: () => Promise<Row[]>;
  put: (...rows: Row[]) => Promise<void>;
  remove: (...ids: string[]) => Promise<void>;
  clear: () => Promise<void>;
  /** Call `listener` when another tab of this browser has changed the table; once for changes that follow closely. */
  elsewhere: (listener: () => Promise<void>) => void;
}

export function table<Row extends { id: string }>(name: TableName): Table<Row> {
  return {
    all: () => work(name, 'readonly', (store) => store.getAll() as IDBRequest<Row[]>),
    put: (...rows) => change(name, (store) => rows.map((row) => store.put(row))),
    remove: (...ids) => change(name, (store) => ids.map((id) => store.delete(id))),
    clear: () => change(name, (store) => [store.clear()]),
    elsewhere(listener) {
      let waits = false;
      tabs?.addEventListener('message', ({ data }) => {
        if (data !== name || waits) return;
        waits = true;
        setTimeout(() => {
          waits = false;
          void listener();
        }, CLOSELY);
      });
    },
  };
}

/** Tabs tell each other which table they changed, and nothing of what is in it. */
const tabs = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(NAME);
const CLOSELY = 100;

async function change(name: TableName, what: (store: IDBObjectStore) => unknown): Promise<void> {
  await work(name, 'readwrite', (store) => {
    what(store);
    return null;
  });
  tabs?.postMessage(name);
}

async function work<T>(
  name: TableName,
  mode: IDBTransactionMode,
  what: (store: IDBObjectStore) => IDBRequest<T> | null,
): Promise<T> {
  const database = await opened();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(name, mode);
    const asked = what(transaction.objectStore(name));
    transaction.oncomplete = () => resolve(asked?.result as T);
    transaction.onabort = () => reject(new Unkept(transaction.error?.message));
  });
}

let opening: Promise<IDBDatabase> | null = null;

function opened(): Promise<IDBDatabase> {
  opening ??= open();
  opening.catch(() => {
    opening = null; // asked again next time: a person may have made room
  });
  return opening;
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    let asked: IDBOpenDBRequest;
    try {
      asked = indexedDB.open(NAME, VERSION);
    } catch (error) {
      reject(new Unkept(String(error)));
      return;
    }
    asked.onupgradeneeded = () => {
      for (const name of TABLES) asked.result.createObjectStore(name, { keyPath: 'id' });
    };
    asked.onerror = () => reject(new Unkept(asked.error?.message));
    asked.onsuccess = () => {
      asked.result.onclose = () => {
        opening = null;
      };
      resolve(asked.result);
    };
  });
}
