/** Figures of models, with their intervals, as the chosen language writes them. */
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { durationOf, rounded } from './format';

/** How a figure is to be read. */
export type Kind = 'share' | 'number' | 'small' | 'count' | 'points' | 'margin' | 'bytes' | 'difference';

export interface Figures {
  value: (value: number | null | undefined, kind: Kind) => string;
  /** `0.0 – 1.0`, or nothing. */
  between: (interval: readonly [number, number] | null | undefined, kind: Kind) => string;
  day: (iso: string) => string;
  moment: (iso: string) => string;
  /** A length of time in its two largest units. */
  span: (seconds: number) => string;
  /** A guess of such a length; null where there is none, or less than a second is left. */
  left: (seconds: number | null | undefined) => string | null;
}

export function figuresOf(language: string): Figures {
  const fixed = (digits: number, more: Intl.NumberFormatOptions = {}) =>
    new Intl.NumberFormat(language, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
      ...more,
    });
  const formats: Record<Kind, (value: number) => string> = {
    share: (value) => fixed(1, { style: 'percent' }).format(value),
    number: (value) => fixed(3).format(value),
    small: (value) =>
      new Intl.NumberFormat(language, { maximumSignificantDigits: 2, notation: 'scientific' }).format(value),
    count: (value) => fixed(0).format(value),
    points: (value) => fixed(1, { signDisplay: 'exceptZero' }).format(100 * value),
    margin: (value) => fixed(1).format(100 * value),
    bytes: (value) => fixed(1, { style: 'unit', unit: 'megabyte' }).format(value / 1e6),
    difference: (value) => fixed(4, { signDisplay: 'exceptZero' }).format(value),
  };
  const day = new Intl.DateTimeFormat(language, { dateStyle: 'medium' });
  const moment = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
  const value = (told: number | null | undefined, kind: Kind) =>
    told === null || told === undefined ? '–' : formats[kind](told);
  return {
    value,
    between: (interval, kind) =>
      interval ? `${value(interval[0], kind)} – ${value(interval[1], kind)}` : '',
    day: (iso) => day.format(new Date(iso)),
    moment: (iso) => moment.format(new Date(iso)),
    span: (seconds) => durationOf(seconds, language),
    left: (seconds) => (seconds && seconds >= 1 ? durationOf(rounded(seconds), language) : null),
  };
}

export function useFigures(): Figures {
  const { i18n } = useTranslation();
  return useMemo(() => figuresOf(i18n.language), [i18n.language]);
}
