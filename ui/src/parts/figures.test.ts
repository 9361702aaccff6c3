import { expect, it } from 'vitest';
import { csv } from './csv';
import { figuresOf } from './figures';

it('figures are written as the language writes them', () => {
  const { value, between, span } = figuresOf('en');
  expect(value(0.9765, 'share')).toBe('97.7%');
  expect(value(null, 'share')).toBe('–');
  expect(between([0.5, 1], 'share')).toBe('50.0% – 100.0%');
  expect(between(null, 'share')).toBe('');
  expect([value(0.0467, 'points'), value(0, 'points'), value(-0.012, 'points')]).toEqual([
    '+4.7',
    '0.0',
    '-1.2',
  ]);
  expect(value(9_964_720, 'bytes')).toBe('10.0 MB');
  expect(value(9.2e-8, 'small')).toBe('9.2E-8');
  expect([span(0), span(59.6), span(3_700)]).toEqual(['0 sec', '1 min', '1 hr 1 min']);
  expect(figuresOf('fr').value(0.9765, 'share')).toMatch(/^97,7\s%$/);
});

it('tables begin with what they are for, and hold no formulas', () => {
  expect(
    csv(
      ['a', 'b'],
      [
        ['=1+1', 'x, "y"'],
        [null, 2],
      ],
      'Research use only.',
    ),
  ).toBe('\ufeff# Research use only.\r\na,b\r\n\'=1+1,"x, ""y"""\r\n,2\r\n');
});
