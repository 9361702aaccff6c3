import { describe, expect, it } from 'vitest';
import type { Receipt } from '../api/types';
import { reviewOf } from './receipt';

const receipt = (review: unknown) => ({ review }) as Receipt;

describe('what is sent to a person', () => {
  it('is told of both models, the served one first', () => {
    const told = receipt({
      site: { challenger: { sent: 0.2, wrong: null }, champion: { sent: 0.1, wrong: 0.02 } },
    });
    expect(reviewOf(told, 'site')).toEqual([
      { who: 'champion', sent: 0.1, wrong: 0.02 },
      { who: 'challenger', sent: 0.2, wrong: null },
    ]);
    expect(reviewOf(told, 'base')).toEqual([]);
  });

  it('is nothing in receipts of old, nor of a champion without a band', () => {
    expect(reviewOf({} as Receipt, 'site')).toEqual([]);
    expect(reviewOf(receipt({ base: { challenger: { sent: 0, wrong: 0 } } }), 'base')).toHaveLength(1);
  });
});
