/** Numbers, sizes and times as the chosen language writes them. */
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

export interface Format {
  count: (value: number) => string;
  /** Of a probability: never 0 % or 100 %, which no model can know. */
  probability: (value: number) => string;
  percent: (value: number) => string;
  bytes: (value: number) => string;
  /** How long an answer took. */
  milliseconds: (seconds: number) => string;
  moment: (iso: string) => string;
  /** Of a moment on an axis: the time of the day, or the date where more than two days are shown. */
  tick: (iso: string, seconds: number) => string;
  /** Three digits that mean something, and none finer than a hundredth. */
  number: (value: number) => string;
  /** A share with its 95% interval. */
  interval: (value: number, low: number, high: number) => string;
  /** A length of time in its largest unit, and the next one. */
  duration: (seconds: number) => string;
}

export function formatOf(language: string): Format {
  const whole = new Intl.NumberFormat(language);
  const share = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 });
  const kilobytes = unit(language, 'kilobyte');
  const megabytes = unit(language, 'megabyte');
  const ms = unit(language, 'millisecond');
  const seconds = unit(language, 'second');
  const digits = new Intl.NumberFormat(language, {
    maximumSignificantDigits: 3,
    maximumFractionDigits: 2,
    roundingPriority: 'lessPrecision',
  });
  const time = new Intl.DateTimeFormat(language, { timeStyle: 'short' });
  const date = new Intl.DateTimeFormat(language, { month: 'short', day: 'numeric' });
  const clock = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' });
  return {
    count: (value) => whole.format(value),
    probability(value) {
      if (value > 0.999) return `> ${share.format(0.999)}`;
      return value < 0.001 ? `< ${share.format(0.001)}` : share.format(value);
    },
    percent: (value) => share.format(value),
    bytes: (value) => (value < 1e6 ? kilobytes.format(value / 1e3) : megabytes.format(value / 1e6)),
    milliseconds: (told) => (told < 1 ? ms.format(told * 1000) : seconds.format(told)),
    moment: (iso) => clock.format(new Date(iso)),
    tick: (iso, seconds) => (seconds > 2 * DAY ? date : time).format(new Date(iso)),
    number: (value) => (value > 0 && value < 0.005 ? `< ${digits.format(0.01)}` : digits.format(value)),
    interval: (value, low, high) => `${share.format(value)} (${share.format(low)} – ${share.format(high)})`,
    duration: (seconds) => durationOf(seconds, language),
  };
}

const DAY = 86_400;
const UNITS = [
  ['day', DAY],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const;

/** A length of time in its two largest units. */
export function durationOf(seconds: number, language: string): string {
  const whole = Math.max(0, Math.round(seconds));
  const first = UNITS.findIndex(([, size]) => whole >= size);
  const shown = UNITS.slice(first < 0 ? 3 : first).slice(0, 2);
  let left = whole;
  return shown
    .map(([name, size], place) => {
      const count = Math.floor(left / size);
      left -= count * size;
      const format = new Intl.NumberFormat(language, { style: 'unit', unit: name, unitDisplay: 'short' });
      return place && !count ? '' : format.format(count);
    })
    .join(' ')
    .trim();
}

/** Seconds that are left, as far as a guess can be trusted: never none, and in steps that grow with it. */
export function rounded(left: number): number {
  const step = left < 60 ? 5 : left < 300 ? 30 : left < 3600 ? 60 : 300;
  return Math.max(step, Math.round(left / step) * step);
}

function unit(language: string, name: string): Intl.NumberFormat {
  return new Intl.NumberFormat(language, { style: 'unit', unit: name, maximumFractionDigits: 1 });
}

export function useFormat(): Format {
  const { i18n } = useTranslation();
  return useMemo(() => formatOf(i18n.language), [i18n.language]);
}
