/** How a rate spreads over patients: a mean over cells hides the one who fares worst. */
import { Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { SetCurves } from '../api/types';
import { INKS } from '../parts/Compared';
import { useFigures } from '../parts/figures';
import { endsOf, median, type Rate, ratesOf } from './curves';
import styles from './Versions.module.css';

interface Props {
  versions: readonly string[];
  curves: readonly (SetCurves | undefined)[];
  rate: Rate;
}

export function Patients({ versions, curves, rate }: Props) {
  const { t } = useTranslation();
  const shown = curves.map((curve) => (curve ? ratesOf(curve, rate) : []));
  if (shown.every((rates) => rates.length === 0)) return null;
  const ends = endsOf(shown.flat(), rate);
  return (
    <figure data-testid={`patients-${rate}`}>
      <Text component="figcaption" fw={600}>
        {t(`versions.patients.${rate}`)}
      </Text>
      <Text size="sm" c="var(--muted)" mb="xs">
        {t('versions.patients.what')}
      </Text>
      {versions.map((version, at) => (
        <Spread
          key={version}
          version={version}
          rates={shown[at] ?? []}
          rate={rate}
          ends={ends}
          ink={INKS[at === 0 && versions.length === 2 ? 0 : 1]}
        />
      ))}
    </figure>
  );
}

interface SpreadProps {
  version: string;
  rates: readonly number[];
  rate: Rate;
  ends: readonly [number, number];
  ink: string;
}

function Spread({ version, rates, rate, ends, ink }: SpreadProps) {
  const { t } = useTranslation();
  const figures = useFigures();
  if (rates.length === 0) return null;
  const worst = (rate === 'sensitivity' ? rates[0] : rates.at(-1)) ?? 0;
  const [low, high] = ends;
  const place = (value: number) => `${(100 * (value - low)) / (high - low)}%`;
  return (
    <div>
      <Text size="sm">
        {version}
        {t('app.colon')}
        {t('versions.patients.told', {
          count: rates.length,
          median: figures.value(median(rates), 'share'),
          worst: figures.value(worst, 'share'),
        })}
      </Text>
      <div className={styles.patients} aria-hidden>
        {rates.map((value, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: patients are nameless, and stand in the order of their rates
          <span key={at} className={styles.patient} style={{ left: place(value), background: ink }} />
        ))}
        <span className={styles.median} style={{ left: place(median(rates)) }} />
      </div>
      <div className={styles.ends} aria-hidden>
        <span>{figures.value(low, 'share')}</span>
        <span>{figures.value(high, 'share')}</span>
      </div>
    </div>
  );
}
