/**
 * Parts of the page that are fetched when they are needed. Browsers remember a module that could not be fetched until the
 * page is loaded anew, so none is asked for while the server is away and the browser does not keep it (src/offline).
 */
import { Failure } from '../api/failure';

const PATIENCE = 5_000;
/** The page itself has just come: so will its parts. */
const FRESH = 3_000;
const began = performance.now();
const had = new Set<string>();

/**
 * @param name of the part's file, without the rest that the build adds.
 *
 * Throws Failure where it cannot be had now.
 */
export async function part<T>(name: string, load: () => Promise<T>): Promise<T> {
  if (!(await within(name))) throw new Failure('unreachable');
  try {
    const found = await load();
    had.add(name);
    return found;
  } catch (error) {
    throw UNFETCHED.test(String(error)) ? new Failure('unreachable') : error;
  }
}

/** Whether it is here, or can be had. Vite's own server, which serves those who change the page, has other addresses. */
async function within(name: string): Promise<boolean> {
  if (!import.meta.env.PROD || had.has(name) || performance.now() - began < FRESH) return true;
  return (await kept(name)) || (await answers());
}

/** How browsers, and Vite of styles, say that a file could not be fetched. */
const UNFETCHED = /dynamically imported module|preload|module script/i;

async function kept(name: string): Promise<boolean> {
  if (!navigator.serviceWorker?.controller) return false;
  for (const cache of await caches.keys())
    for (const { url } of await (await caches.open(cache)).keys())
      if (new URL(url).pathname.startsWith(`/assets/${name}-`)) return true;
  return false;
}

/** The page's own file is small, and whoever serves the parts serves it. */
async function answers(): Promise<boolean> {
  try {
    return (await fetch('/', { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE) })).ok;
  } catch {
    return false;
  }
}
