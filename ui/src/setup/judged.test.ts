import { describe, expect, it } from 'vitest';
import type { Task } from '../api/types';
import { choiceOf, judgedOf } from './judged';

const counts = (tp: number, fn: number, tn: number, fp: number) => ({ confusion: { tp, fn, tn, fp } });
const task = (given: Partial<Task>): Task =>
  ({ state: 'succeeded', verdict: null, version: 'v2', ...given }) as Task;

describe('before and after', () => {
  it('are counted of each class', () => {
    const judged = judgedOf({ site: { champion: counts(3, 3, 6, 0), challenger: counts(5, 1, 5, 1) } });
    expect(judged).toMatchObject({ parasitized: 6, uninfected: 6 });
    expect(judged?.before.sensitivity).toMatchObject({ hits: 3, total: 6 });
    expect(judged?.after.sensitivity).toMatchObject({ hits: 5, total: 6 });
    expect(judged?.after.specificity).toMatchObject({ hits: 5, total: 6 });
    expect(judged?.after.right).toMatchObject({ hits: 10, total: 12 });
  });

  it('have no rate of a class that was not kept apart', () => {
    const judged = judgedOf({ site: { champion: counts(0, 0, 6, 0), challenger: counts(0, 0, 5, 1) } });
    expect(judged?.before.sensitivity).toBeNull();
  });

  it('are none where nothing was kept apart', () => {
    expect(judgedOf({ site: null })).toBeNull();
    expect(judgedOf({})).toBeNull();
  });
});

describe('what may be done', () => {
  it('follows from the verdict', () => {
    expect(choiceOf(task({ verdict: 'accepted' }))).toBe('served');
    expect(choiceOf(task({ verdict: 'undecidable' }))).toBe('may-use');
    expect(choiceOf(task({ verdict: 'rejected' }))).toBe('stays');
  });

  it('is not to use what something speaks against', () => {
    const open = (name: string, value: number | null, passed: boolean | null = null) =>
      choiceOf(task({ verdict: 'undecidable', receipt: { criteria: [{ name, value, passed }] } }));
    expect(open('doubted labels', 0.2)).toBe('doubtful');
    expect(open('labels', 0.6)).toBe('doubtful');
    expect(open('site specificity', -0.08)).toBe('doubtful');
    expect(open('base sensitivity', -0.011)).toBe('doubtful');
    expect(open('site balanced accuracy', 0.02)).toBe('may-use');
    expect(open('site size', 12)).toBe('may-use');
    expect(open('base specificity', -0.004, true)).toBe('may-use');
  });

  it('is nothing where nothing was learnt', () => {
    expect(choiceOf(task({ verdict: 'undecidable', version: null }))).toBe('stays');
  });

  it('is to try again where there is no verdict', () => {
    expect(choiceOf(task({ state: 'failed' }))).toBe('broken');
    expect(choiceOf(task({ state: 'duplicate', verdict: null }))).toBe('broken');
  });
});
