// @vitest-environment happy-dom
import { MantineProvider } from '@mantine/core';
import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { speak, start, withWords } from '../i18n';
import type { Cell } from './cell';
import { answer, cell } from './made';
import { ProbabilityBar } from './ProbabilityBar';
import { Run } from './run';
import { SummaryCard } from './SummaryCard';
import { summarise } from './summary';

const show = (cells: Cell[]) =>
  render(
    <MantineProvider>
      <SummaryCard summary={summarise(cells)} run={new Run(cells)} />
    </MantineProvider>,
  );
const headline = () => screen.getByTestId('headline').textContent;
const clear = (count: number) => Array.from({ length: count }, (_, id) => cell(id, { answer: answer(0.01) }));

beforeAll(async () => {
  await start();
  await speak('en');
  await withWords(Promise.resolve());
});
afterEach(cleanup);

describe('the headline', () => {
  it('says how many cells were looked at where no parasite was seen', () => {
    show(clear(1200));
    expect(headline()).toBe('None seen in 1,200 cells');
  });

  it('says how many look parasitized', () => {
    show([...clear(3), cell(9, { answer: answer(0.99) })]);
    expect(headline()).toBe('1 of 4 cells look parasitized');
  });

  it('does not count what nobody could answer', () => {
    show([cell(0, { trouble: { code: 'x', text: 'no picture' } })]);
    expect(headline()).toBe('The cell has no clear answer');
    expect(screen.getByText('1 × no picture')).toBeTruthy();
  });

  it('speaks the language of the page', async () => {
    await speak('fr');
    show(clear(2));
    expect(headline()).toBe('Aucun parasite vu dans 2 cellules');
    await speak('en');
  });
});

describe('the bar', () => {
  it('shows the probability, the operating point and the band', () => {
    render(<ProbabilityBar probability={0.3} threshold={0.5} band={{ low: 0.07, high: 0.93 }} />);
    expect(screen.getByRole('figure').getAttribute('aria-label')).toBe('Probability of a parasite: 30%');
    expect(screen.getByText('Operating point 50%')).toBeTruthy();
    expect(screen.getByText('Review band 7% to 93%')).toBeTruthy();
  });

  it('shows no band where the model has none', () => {
    render(<ProbabilityBar probability={0.3} threshold={0.5} band={null} />);
    expect(screen.queryByText(/Review band/)).toBeNull();
  });
});
