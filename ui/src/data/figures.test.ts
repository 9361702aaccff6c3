import { describe, expect, it } from 'vitest';
import type { Class } from '../training/content';
import { agrees, belief, doubted, histogram, outcomeOf, perPatient, typical } from './figures';
import { lightOf } from './looks';
import type { Studied } from './study';

/** probability: null where nothing was said. */
function cell(label: Class, probability: number | null, patient: string | null = null, id = 0): Studied {
  const answer =
    probability === null
      ? null
      : {
          prediction: probability >= 0.5 ? ('Parasitized' as const) : ('Uninfected' as const),
          probability,
          threshold: 0.5,
          needsReview: false,
          review: null,
          width: 100,
          height: 100,
          version: 'v',
          predictionId: '',
          timestamp: '',
        };
  const load = async () => new Blob();
  return {
    cell: { id, name: `${id}.png`, size: 1, load, answer, trouble: null, decision: null },
    label,
    patient,
    looks: null,
  };
}

describe('a histogram', () => {
  it('counts each class in equal parts, the greatest in the last one', () => {
    const bins = histogram(
      [0, 0.1, 0.5, 1].map((value, at) => ({ value, label: at % 2 ? 'Parasitized' : 'Uninfected' })),
      2,
      [0, 1],
    );
    expect(bins.map(({ Parasitized, Uninfected }) => [Parasitized, Uninfected])).toEqual([
      [1, 1],
      [1, 1],
    ]);
    expect(bins.map(({ from, to }) => [from, to])).toEqual([
      [0, 0.5],
      [0.5, 1],
    ]);
  });

  it('of values that are all alike has one full part', () => {
    const bins = histogram(
      [3, 3, 3].map((value) => ({ value, label: 'Uninfected' as const })),
      4,
    );
    expect(bins.map((bin) => bin.Uninfected)).toEqual([3, 0, 0, 0]);
  });

  it('of nothing is empty', () => expect(histogram([], 5)).toEqual([]));
});

describe('patients', () => {
  it('are counted by class, those with most cells first, and unknown ones left out', () => {
    const cells = [
      cell('Parasitized', 1, 'a'),
      cell('Uninfected', 0, 'b'),
      cell('Uninfected', 0, 'b'),
      cell('Uninfected', 0),
    ];
    expect(perPatient(cells)).toEqual([
      { patient: 'b', Parasitized: 0, Uninfected: 2 },
      { patient: 'a', Parasitized: 1, Uninfected: 0 },
    ]);
  });
});

describe('labels and answers', () => {
  const wrong = cell('Parasitized', 0.2, null, 1);
  const worse = cell('Uninfected', 0.99, null, 2);
  const right = cell('Uninfected', 0.1, null, 3);
  const silent = cell('Parasitized', null, null, 4);

  it('agree, differ, or say nothing', () => {
    expect([wrong, worse, right, silent].map(agrees)).toEqual([false, false, true, null]);
    expect(belief(worse)).toBeCloseTo(0.01);
    expect(belief(silent)).toBeNull();
  });

  it('that differ are doubted, the surest first', () => {
    expect(doubted([right, wrong, silent, worse])).toEqual([worse, wrong]);
  });

  it('are one of four outcomes', () => {
    expect([wrong, worse, right, silent, cell('Parasitized', 0.9)].map(outcomeOf)).toEqual([
      'falseNegative',
      'falsePositive',
      'trueNegative',
      null,
      'truePositive',
    ]);
  });

  it('are shown by usual ones where right, by the surest where wrong', () => {
    const sure = [0.6, 0.7, 0.8, 0.9, 0.99].map((p, id) => cell('Parasitized', p, null, id));
    const chosen = typical([...sure, wrong, worse, cell('Uninfected', 0.6, null, 9)], 1);
    expect(chosen.truePositive.map((one) => one.cell.answer?.probability)).toEqual([0.8]);
    expect(chosen.falsePositive).toEqual([worse]);
    expect(chosen.trueNegative).toEqual([]);
  });
});

describe('light and stain', () => {
  it('are of what is not black', () => {
    const found = lightOf([0, 0, 0, 255, 200, 100, 100, 255]);
    expect(found?.brightness).toBeCloseTo(400 / 3);
    expect(found?.red).toBeCloseTo(0.5);
    expect(found?.blue).toBeCloseTo(0.25);
  });

  it('are none of a black picture', () => expect(lightOf([0, 0, 0, 255])).toBeNull());
});
