// @vitest-environment happy-dom
import { MantineProvider } from '@mantine/core';
import { cleanup, render, screen } from '@testing-library/react';
import i18next from 'i18next';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Rule, Task } from '../api/types';
import { LANGUAGES, type Language, speak, start, withWords } from '../i18n';
import { IngestReport } from './IngestReport';
import { deciding, saidOf } from './receipt';
import { countedOf } from './standing';
import { Advice, WhyEnded, WhyVerdict } from './Why';

const rule = (name: string, passed: boolean | null, more: Partial<Rule> = {}): Rule => ({
  name,
  passed,
  value: -0.023,
  low: -0.068,
  high: 0,
  bound: -0.012,
  text: `In English: ${name}.`,
  ...more,
});
const job = (more: Partial<Task>) => ({ reason: 'In English.', code: '', receipt: {}, ...more }) as Task;
const show = (what: React.ReactNode) =>
  render(<MantineProvider withGlobalClasses={false}>{what}</MantineProvider>);
const shown = () => (document.body.textContent ?? '').replaceAll(/\s+/g, ' ').trim();

beforeAll(async () => {
  await start();
  for (const language of Object.keys(LANGUAGES) as Language[]) {
    await speak(language);
    await withWords(Promise.resolve());
  }
  await speak('fr');
});
afterEach(cleanup);

const RULES = [
  'labels',
  'base sensitivity',
  'base specificity since the first release',
  'earlier sensitivity',
  'base calibration',
  'parity',
  'file size',
  'site balanced accuracy',
  'site specificity',
];

describe('what a rule found', () => {
  it('has a sentence for every rule and outcome, in every language', () => {
    const asked = RULES.flatMap((name) => [true, false, null].map((passed) => rule(name, passed))).filter(
      ({ name, passed }) => passed !== null || (name !== 'parity' && name !== 'file size'),
    );
    for (const found of [
      ...asked,
      ...[true, null].map((passed) => rule('doubted labels', passed)),
      ...[true, null].flatMap((passed) => [rule('site size', passed), rule('gain', passed)]),
      rule('gain', true, { value: 0.1 }),
      rule('learning', null, { value: null }),
      rule('learning', null, { value: 3 }),
      rule('site balanced accuracy', null, { value: 0.01 }),
      rule('site sensitivity', true, { low: 0 }),
      rule('base sensitivity', null, { value: null }),
    ])
      for (const lng of Object.keys(LANGUAGES))
        expect([
          found.name,
          saidOf(found),
          lng,
          i18next.exists(`training.said.${saidOf(found)}`, { lng }),
        ]).toEqual([found.name, saidOf(found), lng, true]);
  });

  it('tells no worse from too few to say so', () => {
    expect(saidOf(rule('site specificity', true, { low: -0.04, bound: -0.05 }))).toBe('recall-passed');
    expect(saidOf(rule('site specificity', true, { low: -0.06, bound: -0.05 }))).toBe('recall-too-few');
  });
});

describe('the rules that made the verdict', () => {
  const [broken, open, passed] = [rule('a', false), rule('b', null), rule('base sensitivity', true)];
  it('are the broken ones of a rejection', () =>
    expect(deciding('rejected', [open, broken, passed])).toEqual([broken]));
  it('are swapped labels alone, since the rest follows from them', () =>
    expect(deciding('rejected', [broken, rule('labels', false)]).map(({ name }) => name)).toEqual([
      'labels',
    ]));
  it('are the open ones of what cannot be decided', () =>
    expect(deciding('undecidable', [open, passed])).toEqual([open]));
  it('are those on patients of what was accepted', () =>
    expect(deciding('accepted', [rule('parity', true), passed])).toEqual([passed]));
});

describe('a French reader', () => {
  it('reads why it was rejected, with the figures', () => {
    const criteria = [rule('base specificity', false), rule('parity', true)];
    show(<WhyVerdict job={job({ verdict: 'rejected', receipt: { criteria } })} />);
    expect(shown()).toBe(
      'Enfreinte : Spécificité sur les patients de base – Change de -2,3 points : une baisse de 1,2 au plus est tolérée.',
    );
  });

  it('reads the server’s own words where the receipt has no rules', () => {
    show(<WhyVerdict job={job({ verdict: 'rejected' })} />);
    expect(screen.getByText('In English.').lang).toBe('en');
  });

  it('reads why it failed, and under it what the server says of it', () => {
    show(<WhyEnded job={job({ code: 'bad-layout' })} />);
    expect(shown()).toContain('Les deux dossiers');
    expect(screen.getByText('In English.').lang).toBe('en');
  });

  it('reads a reason once that the page does not know', () => {
    show(<WhyEnded job={job({ code: 'never-heard-of' })} />);
    expect(screen.getAllByText('In English.')).toHaveLength(1);
  });

  it('reads what to bring, in numbers', () => {
    const numbers = { cells: 1200, groups: 5 };
    show(<Advice text="" advised={[{ code: 'bring-to-compare', text: 'Bring', numbers, rule: '' }]} />);
    expect(shown()).toContain('cellules (1 200), patients ou champs (5)');
  });

  it('reads what an old receipt advises as it stands', () => {
    show(<Advice text="In English." advised={undefined} />);
    expect(screen.getByText('In English.').lang).toBe('en');
  });

  it('reads why pictures were not taken in', () => {
    const ingest = {
      counts: { quarantined: 3 },
      warnings: ['2 of 9 cells name no patient.', 'Of old.'],
      warned: [{ code: 'unknown-patients', count: 2, of: 9 }],
      quarantined: [
        { name: 'a.png', code: 'contradiction', reason: 'x', other: 'b.png' },
        { name: 'c.png', code: 'image-too-small', reason: 'x' },
        { name: 'd.png', code: 'never-heard-of', reason: 'In English.' },
      ],
      overlap: [{ name: 'e.png', code: 'judged-patient', reason: 'x' }],
      duplicates: [{ name: 'f.png', same_as: 'g.png', near: true }],
    };
    show(<IngestReport job={job({ ingest })} />);
    for (const text of ['2 sur 9', 'Of old.', 'Voir b.png', 'trop petite', 'jugés sur ce patient'])
      expect(shown()).toContain(text);
    expect(shown()).toContain('presque la même que g.png');
    expect(screen.getByText('In English.').lang).toBe('en');
  });
});

describe('how many are done', () => {
  const told = (count: number) => `${count}`;
  it('is told of a step that counts', () =>
    expect(countedOf('surrounded: 1,256 of 4,700 cells', told)).toEqual({ done: '1256', total: '4700' }));
  it('else nothing', () => expect(countedOf('Writing the accepted cells', told)).toBeNull());
});

describe('other uploads', () => {
  const told = (receipt: Record<string, unknown>) =>
    show(
      <WhyVerdict
        job={job({ verdict: 'undecidable', receipt: { criteria: [rule('labels', null)], ...receipt } })}
      />,
    );

  it('that were judged with it, or wait no longer, are named with their jobs', () => {
    told({ pooled: ['early'], set_aside: ['bad'] });
    expect(shown()).toContain('jugé avec des envois antérieurs, trop petits à eux seuls : early');
    expect(shown()).toContain('n’attendent plus : bad');
    expect(screen.getByRole('link', { name: 'bad' }).getAttribute('href')).toBe('/training?job=bad');
  });

  it('are not spoken of where there are none', () => {
    told({ pooled: [], set_aside: [] });
    expect(screen.queryByRole('link')).toBeNull();
  });
});
