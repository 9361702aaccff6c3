// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const load = vi.fn(async () => 'here');
const asked = vi.fn();

/** The page as it is some time after it has come. */
async function later() {
  vi.resetModules();
  vi.spyOn(performance, 'now').mockReturnValueOnce(0).mockReturnValue(60_000);
  return (await import('./part')).part;
}

function keeps(...paths: string[]) {
  vi.stubGlobal('caches', {
    keys: async () => ['build'],
    open: async () => ({ keys: async () => paths.map((path) => ({ url: `https://a.org${path}` })) }),
  });
  vi.stubGlobal('navigator', { serviceWorker: { controller: {} } });
}

beforeEach(() => {
  vi.stubEnv('PROD', true);
  load.mockClear();
  vi.stubGlobal('fetch', asked.mockReset().mockRejectedValue(new TypeError('Failed to fetch')));
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('a part of the page', () => {
  it('is not asked for while the server is away, which the browser would remember', async () => {
    const part = await later();
    await expect(part('Models', load)).rejects.toMatchObject({ kind: 'unreachable' });
    expect(load).not.toHaveBeenCalled();
  });

  it('is asked for where the server answers', async () => {
    asked.mockResolvedValue(new Response());
    expect(await (await later())('Models', load)).toBe('here');
  });

  it('is not asked about again once it is here', async () => {
    asked.mockResolvedValueOnce(new Response());
    const part = await later();
    await part('Models', load);
    expect(await part('Models', load)).toBe('here');
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it('is taken from what the browser keeps, without a line', async () => {
    keeps('/index.html', '/assets/Models-x1.js');
    expect(await (await later())('Models', load)).toBe('here');
    expect(asked).not.toHaveBeenCalled();
  });

  it('is not taken for kept where another is', async () => {
    keeps('/assets/ModelsOfOld-x1.js');
    await expect((await later())('Models', load)).rejects.toMatchObject({ kind: 'unreachable' });
  });

  it('comes with the page itself, without a question', async () => {
    vi.resetModules();
    const { part } = await import('./part');
    expect(await part('Models', load)).toBe('here');
    expect(asked).not.toHaveBeenCalled();
  });

  it('that is broken says so', async () => {
    vi.resetModules();
    const { part } = await import('./part');
    const broken = async () => {
      throw new ReferenceError('x is not defined');
    };
    await expect(part('Models', broken)).rejects.toThrow('x is not defined');
  });
});
