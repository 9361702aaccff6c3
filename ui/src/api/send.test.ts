import { beforeEach, describe, expect, it, vi } from 'vitest';
import { send } from './send';

const asked: string[] = [];

/** Answers as storage does: with 204, and with headers that a page of another origin may not read. */
class Storage {
  upload = {};
  status = 204;
  responseText = '';
  onload: () => void = () => {};
  open(): void {}
  abort(): void {}
  setRequestHeader(name: string): void {
    asked.push(`sent ${name}`);
  }
  getResponseHeader(name: string): string | null {
    asked.push(name);
    return null;
  }
  send(): void {
    queueMicrotask(() => this.onload());
  }
}

const how = () => ({ signal: new AbortController().signal, onProgress: () => {} });

describe('a form', () => {
  beforeEach(() => {
    asked.length = 0;
    vi.stubGlobal('XMLHttpRequest', Storage);
  });

  it('goes past the server with no header of ours, and no header of the answer is asked for', async () => {
    expect(await send('https://bucket.example/', new FormData(), how())).toBeNull();
    expect(asked).toEqual([]);
  });

  it('goes to the server with ours, and the request is known by its id', async () => {
    await send('/retrain', new FormData(), how());
    expect(asked).toEqual(['sent Accept', 'retry-after', 'x-request-id']);
  });
});
