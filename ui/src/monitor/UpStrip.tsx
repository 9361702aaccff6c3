/** When it was there and when not, step by step. */
import { useTranslation } from 'react-i18next';
import type { Step, Summary } from '../api/types';
import { useFormat } from '../parts/format';
import styles from './Monitor.module.css';

/** Less may be a restart. */
const ALL = 0.98;

function stateOf(step: Step): 'up' | 'partly' | 'down' | 'unknown' {
  if (step.up === null || step.up === undefined) return 'unknown';
  if (step.up >= ALL) return 'up';
  return step.up > 0 ? 'partly' : 'down';
}

export function UpStrip({ summary }: { summary: Summary }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { steps, total } = summary;
  if (total.up === null || total.up === undefined) return null;
  const away = steps.filter((step) => ['partly', 'down'].includes(stateOf(step)));
  return (
    <section className={styles.panel} aria-label={t('monitor.charts.up')}>
      <h3 className={styles.heading}>{t('monitor.charts.up')}</h3>
      <div className={styles.strip} aria-hidden>
        {steps.map((step) => (
          <div
            key={step.at}
            data-state={stateOf(step)}
            style={{ height: `${100 * (step.up ?? 0)}%` }}
            title={
              format.moment(step.at) +
              t('app.colon') +
              (step.up === null ? '–' : format.percent(step.up ?? 0))
            }
          />
        ))}
      </div>
      <div className={styles.ends}>
        <span>{format.moment(summary.start)}</span>
        <span>{format.moment(summary.time)}</span>
      </div>
      <p className={styles.note}>
        {away.length
          ? t('monitor.away', { count: away.length, last: format.moment(away.at(-1)?.at ?? summary.start) })
          : t('monitor.neverAway')}
      </p>
    </section>
  );
}
