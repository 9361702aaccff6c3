// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as client from '../api/client';
import { Failure } from '../api/failure';
import * as api from '../api/training';
import { desk } from './desk';

const files = ['Parasitized/a.png', 'Uninfected/b.png'].map((path) =>
  Object.assign(new File(['picture'], path.split('/')[1] ?? ''), { path }),
);

beforeEach(() => {
  vi.spyOn(client, 'pause').mockResolvedValue();
  vi.spyOn(api, 'ticketFor').mockResolvedValue(null);
});
afterEach(desk.clear);

describe('an upload', () => {
  it('is sent again with the same token where the server is away for a moment', async () => {
    const tokens: string[] = [];
    vi.spyOn(api, 'handIn').mockImplementation(async ({ token }) => {
      tokens.push(token);
      if (tokens.length < 3) throw new Failure('unreachable');
      return 'job-1';
    });
    await desk.bring(files);
    await desk.send({});
    expect(desk.current()).toMatchObject({ kind: 'sending', at: { step: 'done', job: 'job-1' } });
    expect(tokens).toHaveLength(3);
    expect(new Set(tokens).size).toBe(1);
  });

  it('is kept where it fails, and another choice makes it another upload', async () => {
    const tokens: string[] = [];
    vi.spyOn(api, 'handIn').mockImplementation(async ({ token }) => {
      tokens.push(token);
      throw new Failure('nonsense', null);
    });
    await desk.bring(files);
    await desk.send({});
    const state = desk.current();
    expect(state).toMatchObject({ kind: 'sending', at: { step: 'failed' } });
    desk.back();
    expect(desk.current().kind).toBe('ready');
    await desk.send({ method: 'adapt' });
    expect(new Set(tokens).size).toBe(2);
  });

  it('that cannot be read is told of, and may be brought again', async () => {
    const gone = new File(['x'], 'cells.zip');
    vi.spyOn(gone, 'slice').mockImplementation(() => {
      throw new DOMException('gone', 'NotFoundError');
    });
    await desk.bring([gone]);
    expect(desk.current()).toMatchObject({ kind: 'unread', files: [gone] });
  });

  it('is not sent any more once it is put away', async () => {
    vi.spyOn(api, 'handIn').mockImplementation(
      ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    await desk.bring(files);
    const sending = desk.send({});
    await vi.waitFor(() => expect(api.handIn).toHaveBeenCalled());
    desk.clear();
    await sending;
    expect(desk.current()).toEqual({ kind: 'empty' });
  });
});
