/** P(parasitized) on a bar, with what is made of it: the operating point, and the band that asks for a look. */
import { useTranslation } from 'react-i18next';
import { useFormat } from '../parts/format';
import styles from './ProbabilityBar.module.css';

interface Props {
  probability: number;
  threshold: number;
  /** Null: the model has none. */
  band: { low: number; high: number } | null;
}

export function ProbabilityBar({ probability, threshold, band }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const infected = probability >= threshold;
  return (
    <figure className={styles.figure} aria-label={t('bar.label', { value: format.probability(probability) })}>
      <div className={styles.value} style={{ color: infected ? 'var(--parasitized)' : 'var(--uninfected)' }}>
        {format.probability(probability)}
        <span className={styles.what}>{t('bar.what')}</span>
      </div>
      <div className={styles.bar} aria-hidden>
        {band ? (
          <div className={styles.band} style={{ left: at(band.low), width: at(band.high - band.low) }} />
        ) : null}
        <div
          className={styles.fill}
          style={{
            width: at(probability),
            background: infected ? 'var(--parasitized)' : 'var(--uninfected)',
          }}
        />
        <div className={styles.point} style={{ left: at(threshold) }} />
      </div>
      <div className={styles.ends} aria-hidden>
        <span>{format.percent(0)}</span>
        <span>{format.percent(1)}</span>
      </div>
      <figcaption className={styles.legend}>
        <span>
          <i className={styles.pointKey} aria-hidden />
          {t('bar.point', { value: format.percent(threshold) })}
        </span>
        {band ? (
          <span>
            <i className={styles.bandKey} aria-hidden />
            {t('bar.band', { low: format.percent(band.low), high: format.percent(band.high) })}
          </span>
        ) : null}
      </figcaption>
    </figure>
  );
}

const at = (share: number): string => `${100 * share}%`;
