// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import type { Cell } from './cell';
import { sessions } from './session';

const cell = (id: number): Cell => ({
  id,
  name: `${id}.png`,
  size: 1,
  load: () => new Promise(() => {}), // the work stays under way
  answer: null,
  trouble: null,
  decision: null,
});

function asks(): boolean {
  const leaving = new Event('beforeunload', { cancelable: true });
  window.dispatchEvent(leaving);
  return leaving.defaultPrevented;
}

describe('leaving the page', () => {
  it('is asked about while work is under way, from whichever screen', () => {
    expect(asks()).toBe(false);
    sessions.open([cell(0), cell(1)]);
    expect(asks()).toBe(true);
    sessions.close();
    expect(asks()).toBe(false);
  });
});
