import { part } from './part';

/** What reads and writes ZIPs, which is loaded when there is one. Throws Failure where the server is away. */
export async function zipTools() {
  const tools = await part('zip-core-custom', () => import('@zip.js/zip.js/lib/zip-core-custom.js'));
  tools.configure({ useWebWorkers: false });
  return tools;
}
