/** What the cells come to. Never more than was seen: no parasite among N cells is no word about the patient. */
import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../parts/format';
import { GROUPS, STANDINGS, type Standing } from './cell';
import { MARK_OF, MARKS } from './marks';
import styles from './Panels.module.css';
import type { Run } from './run';
import type { Summary } from './summary';
import { useReason } from './useReason';

/** Shown though they be 0: their absence is an answer. */
const ALWAYS: readonly Standing[] = ['infected', 'clear', 'review'];
const FILL: Record<Standing, string> = {
  infected: 'var(--parasitized)',
  clear: 'var(--uninfected)',
  review: 'var(--review-fill)',
  excluded: 'var(--unreadable)',
  unreadable: 'var(--unreadable)',
  waiting: 'var(--unreadable-soft)',
};

export function SummaryCard({ summary, run }: { summary: Summary; run: Run }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { counts, judged, total } = summary;
  const shown = STANDINGS.filter((standing) => ALWAYS.includes(standing) || counts[standing] > 0);
  return (
    <section className={styles.panel} aria-label={t('summary.label')}>
      <h2 className={styles.headline} data-testid="headline">
        {headline(summary, t, format.count)}
      </h2>
      <div className={styles.bar} aria-hidden>
        {shown
          .filter((standing) => counts[standing] > 0)
          .map((standing) => (
            <div
              key={standing}
              style={{ flexGrow: counts[standing] / Math.max(1, total), background: FILL[standing] }}
            />
          ))}
      </div>
      <dl className={styles.numbers}>
        {shown.map((standing) => (
          <Figure key={standing} standing={standing} count={format.count(counts[standing])}>
            {standing === 'infected' && judged > 0
              ? t('summary.share', { share: format.percent(counts.infected / judged), count: judged })
              : null}
            {standing === 'review' ? <Reviewed summary={summary} /> : null}
            {standing === 'unreadable' ? <Reasons summary={summary} /> : null}
          </Figure>
        ))}
      </dl>
      {run.ended && summary.versions.length > 1 ? (
        <p className={styles.note}>{t('summary.versions')}</p>
      ) : null}
    </section>
  );
}

function headline(summary: Summary, t: TFunction, count: (n: number) => string): string {
  const { counts, judged, total } = summary;
  if (judged === 0)
    return t(counts.waiting > 0 ? 'summary.none' : 'summary.nothing', { total: count(total), count: total });
  if (counts.infected === 0) return t('summary.noneSeen', { count: judged, cells: count(judged) });
  return t('summary.seen', { infected: count(counts.infected), count: judged, cells: count(judged) });
}

function Figure({
  standing,
  count,
  children,
}: {
  standing: Standing;
  count: string;
  children: React.ReactNode;
}) {
  const { t } = useTranslation();
  const { Icon, ink } = MARKS[MARK_OF[standing]];
  return (
    <div className={styles.number}>
      <dt style={{ color: ink }}>
        <Icon size="1.3rem" aria-hidden />
        {t(`summary.${standing}`)}
      </dt>
      <dd className={styles.figure} data-testid={`count-${standing}`}>
        {count}
      </dd>
      <dd className={styles.note}>{children}</dd>
    </div>
  );
}

function Reviewed({ summary }: { summary: Summary }) {
  const { t } = useTranslation();
  const parts = GROUPS.flatMap((group) => {
    const count = summary.reviewed[group] ?? 0;
    return count > 0 && (group === 'parasitized' || group === 'uninfected' || group === 'noCell')
      ? [t(`summary.reviewed.${group}`, { count })]
      : [];
  });
  return parts.join(', ');
}

function Reasons({ summary }: { summary: Summary }) {
  const reason = useReason();
  return summary.reasons.map((one) => (
    <div key={one.code}>
      {one.count} × {reason(one)}
    </div>
  ));
}
