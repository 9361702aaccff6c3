/** Numbers, sizes and times as the chosen language writes them. */
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

export interface Format {
  count: (value: number) => string;
  /** Of a probability: never 0 % or 100 %, which no model can know. */
  probability: (value: number) => string;
  percent: (value: number) => string;
  bytes: (value: number) => string;
  milliseconds: (seconds: number) => string;
  moment: (iso: string) => string;
}

export function formatOf(language: string): Format {
  const whole = new Intl.NumberFormat(language);
  const share = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 });
  const kilobytes = unit(language, 'kilobyte');
  const megabytes = unit(language, 'megabyte');
  const ms = unit(language, 'millisecond');
  const clock = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' });
  return {
    count: (value) => whole.format(value),
    probability(value) {
      if (value > 0.999) return `> ${share.format(0.999)}`;
      return value < 0.001 ? `< ${share.format(0.001)}` : share.format(value);
    },
    percent: (value) => share.format(value),
    bytes: (value) => (value < 1e6 ? kilobytes.format(value / 1e3) : megabytes.format(value / 1e6)),
    milliseconds: (seconds) => ms.format(seconds * 1000),
    moment: (iso) => clock.format(new Date(iso)),
  };
}

function unit(language: string, name: string): Intl.NumberFormat {
  return new Intl.NumberFormat(language, { style: 'unit', unit: name, maximumFractionDigits: 1 });
}

export function useFormat(): Format {
  const { i18n } = useTranslation();
  return useMemo(() => formatOf(i18n.language), [i18n.language]);
}
