/** Sends a form that may be large, and tells how much of it has gone: fetch cannot. */
import { Failure, told } from './failure';
import { keys } from './key';

export interface Sent {
  signal: AbortSignal;
  /** Bytes that have left, headers and all. */
  onProgress: (bytes: number) => void;
  headers?: Record<string, string>;
}

/** The time without any progress after which it has failed. */
const SILENCE = 60_000;
/** What the server does with a whole upload before it answers may take this long. */
const ANSWER = 300_000;

/** The answer's JSON, or null where it has no body. Throws Failure, or the signal's reason where it was aborted. */
export async function send<T>(url: string, body: FormData, how: Sent): Promise<T | null> {
  for (;;) {
    try {
      return await once<T>(url, body, how);
    } catch (error) {
      if (!(error instanceof Failure) || error.status !== 401 || !own(url) || !(await keys.ask()))
        throw error;
    }
  }
}

/** A key is for this server only. */
function own(url: string): boolean {
  return url.startsWith('/');
}

async function once<T>(url: string, body: FormData, how: Sent): Promise<T | null> {
  const response = await posted(url, body, how);
  if (!response.ok) throw await told(response);
  const text = await response.text();
  if (!text) return null;
  try {
    return JSON.parse(text) as T;
  } catch {
    if (!own(url)) return null; // storage answers in a language of its own
    throw new Failure('nonsense');
  }
}

function posted(url: string, body: FormData, how: Sent): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const watch = new Watch(() => fail(new Failure('timeout')));
    function fail(reason: unknown) {
      end();
      reject(reason);
      request.abort();
    }
    const stop = () => fail(how.signal.reason);
    function end() {
      watch.end();
      how.signal.removeEventListener('abort', stop);
    }
    request.upload.onprogress = ({ loaded }) => {
      watch.wait(SILENCE);
      how.onProgress(loaded);
    };
    request.upload.onload = () => watch.wait(ANSWER);
    request.onload = () => {
      end();
      resolve(answered(request, own(url)));
    };
    request.onerror = () => fail(new Failure('unreachable'));
    how.signal.addEventListener('abort', stop, { once: true });
    request.open('POST', url);
    for (const [name, value] of Object.entries(headers(url, how))) request.setRequestHeader(name, value);
    if (how.signal.aborted) stop();
    else request.send(body);
    watch.wait(SILENCE);
  });
}

/** Bites where nothing has happened for so long. */
class Watch {
  private timer: ReturnType<typeof setTimeout> | null = null;
  private over = false;

  constructor(private readonly bite: () => void) {}

  wait(ms: number): void {
    if (this.timer) clearTimeout(this.timer);
    if (!this.over) this.timer = setTimeout(this.bite, ms);
  }

  end(): void {
    this.over = true;
    if (this.timer) clearTimeout(this.timer);
  }
}

function headers(url: string, how: Sent): Record<string, string> {
  const key = keys.current();
  if (!own(url)) return {};
  return { Accept: 'application/json', ...how.headers, ...(key ? { Authorization: `Bearer ${key}` } : {}) };
}

/** Headers of another origin's answer are out of reach, and to ask for them writes an error to the console. */
function answered(request: XMLHttpRequest, within: boolean): Response {
  const found = new Headers();
  for (const name of within ? ['retry-after', 'x-request-id'] : []) {
    const value = request.getResponseHeader(name);
    if (value) found.set(name, value);
  }
  const empty = request.status === 204 || request.status === 304;
  return new Response(empty ? null : request.responseText, { status: request.status, headers: found });
}
