import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as api from '../api/cells';
import { Failure } from '../api/failure';
import type { BatchAnswer } from '../api/types';
import { cell } from './made';
import { Run } from './run';

vi.mock('../api/cells');
const answering = vi.mocked(api.predictMany);
const health = vi.mocked(api.health);

function answered(pictures: api.Picture[]): BatchAnswer {
  return {
    results: pictures.map(({ name }, index) => ({
      index,
      filename: name,
      prediction: 'Uninfected',
      probabilities: { Parasitized: 0.01, Uninfected: 0.99 },
      needs_review: false,
      image: { width: 9, height: 9 },
      prediction_id: name,
    })),
    threshold: 0.5,
    model_version: 'v1',
    timestamp: '2026-01-02T03:04:05Z',
  } as unknown as BatchAnswer;
}

function refusal(status: number, code: string): Failure {
  return new Failure('problem', {
    status,
    code,
    title: 't',
    detail: `${code}!`,
    type: '',
    instance: '',
    request_id: '',
    errors: null,
  });
}

const many = (count: number, size = 1000) => Array.from({ length: count }, (_, id) => cell(id, { size }));
const until = (run: Run, state: Run['state']) => vi.waitFor(() => expect(run.state).toBe(state), 5000);

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true, advanceTimeDelta: 200 });
  answering.mockReset().mockImplementation(async (pictures) => answered(pictures));
  health.mockReset().mockResolvedValue({} as never);
});
afterEach(() => vi.useRealTimers());

describe('a run', () => {
  it('answers each cell by its place, in parts', async () => {
    const run = new Run(many(70));
    run.start();
    await until(run, 'done');
    expect(run.cells.map(({ answer }) => answer?.predictionId)).toEqual(run.cells.map(({ name }) => name));
    expect(answering.mock.calls.map(([part]) => part.length)).toEqual([32, 32, 6]);
    expect(run.progress).toMatchObject({ settled: 70, total: 70 });
  });

  it('keeps parts small enough for serverless platforms', async () => {
    const run = new Run(many(5, 1.5 * 2 ** 20));
    run.start();
    await until(run, 'done');
    expect(answering.mock.calls.map(([part]) => part.length)).toEqual([2, 2, 1]);
  });

  it('loses nothing where the server fails in the middle, and goes on by itself', async () => {
    let calls = 0;
    answering.mockImplementation(async (pictures) => {
      calls += 1;
      if (calls === 2 || calls === 3) throw new Failure('unreachable');
      return answered(pictures);
    });
    health.mockRejectedValueOnce(new Failure('unreachable'));
    const run = new Run(many(100));
    run.start();
    await until(run, 'stalled');
    expect(run.failure).toBeInstanceOf(Failure);
    await vi.waitFor(() => expect(run.cells.filter(({ answer }) => answer)).toHaveLength(32));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(run.state).toBe('stalled');
    await vi.advanceTimersByTimeAsync(10_000);
    await until(run, 'done');
    expect(run.cells.every(({ answer }) => answer)).toBe(true);
  });

  it('waits for a person where the server will not pass by itself', async () => {
    answering.mockRejectedValueOnce(refusal(403, 'forbidden'));
    const run = new Run(many(1));
    run.start();
    await until(run, 'stalled');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(health).not.toHaveBeenCalled();
    run.resume();
    await until(run, 'done');
  });

  it('finds the picture that the server refuses, and answers the others', async () => {
    answering.mockImplementation(async (pictures) => {
      if (pictures.some(({ name }) => name === 'cell-3.png')) throw refusal(413, 'upload-too-large');
      return answered(pictures);
    });
    const run = new Run(many(8));
    run.start();
    await until(run, 'done');
    expect(run.cells.filter(({ answer }) => answer)).toHaveLength(7);
    expect(run.cells[3]?.trouble).toEqual({ code: 'upload-too-large', text: 'upload-too-large!' });
  });

  it('tells of a file that cannot be opened, and asks about the others', async () => {
    const cells = many(3);
    const broken = cell(3, { load: () => Promise.reject(new Error('gone')) });
    const run = new Run([...cells, broken]);
    run.start();
    await until(run, 'done');
    expect(broken.trouble).toEqual({ code: 'unreadable-file', text: 'gone' });
    expect(answering.mock.calls[0]?.[0]).toHaveLength(3);
  });

  it('pauses, goes on, and is cancelled with what was answered kept', async () => {
    const run = new Run(many(200));
    run.start();
    run.pause();
    await vi.waitFor(() => expect(run.progress.settled).toBe(64)); // the two parts under way
    await vi.advanceTimersByTimeAsync(1000);
    expect([run.state, run.progress.settled]).toEqual(['paused', 64]);
    run.resume();
    run.cancel();
    await vi.advanceTimersByTimeAsync(1000);
    expect(run.state).toBe('cancelled');
    expect(run.progress.settled).toBeGreaterThanOrEqual(64);
    expect(run.progress.settled).toBeLessThan(200);
  });

  it('does not believe an answer with too few entries', async () => {
    answering.mockResolvedValueOnce({ ...answered([]), results: [] });
    const run = new Run(many(2));
    run.start();
    await until(run, 'stalled');
    expect(run.cells.every(({ answer }) => answer === null)).toBe(true);
  });
});
