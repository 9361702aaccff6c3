/** Where the model looked: at cells that it called rightly, and at those that it called wrongly. */
import { Loader, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Picture } from '../diagnose/Picture';
import { useExplained } from '../diagnose/useExplained';
import { FailureNote } from '../layout/FailureNote';
import { useFormat } from '../parts/format';
import styles from './Data.module.css';
import { OUTCOMES, typical } from './figures';
import type { Studied } from './study';

const EACH = 3;

export function TypicalMaps({ cells, ready }: { cells: readonly Studied[]; ready: boolean }) {
  const { t } = useTranslation();
  if (!ready) return <Loader role="progressbar" aria-label={t('data.waiting')} />;
  const chosen = typical(cells, EACH);
  return (
    <div className={styles.outcomes}>
      {OUTCOMES.map((outcome) => (
        <section key={outcome} aria-label={t(`data.outcomes.${outcome}`)}>
          <h4 className={styles.outcome}>{t(`data.outcomes.${outcome}`)}</h4>
          {chosen[outcome].length === 0 ? <Text c="var(--muted)">{t('data.outcomes.none')}</Text> : null}
          <div className={styles.maps}>
            {chosen[outcome].map((one) => (
              <Explained key={one.cell.id} one={one} />
            ))}
          </div>
        </section>
      ))}
    </div>
  );
}

function Explained({ one }: { one: Studied }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { told, error, again } = useExplained(one.cell, false);
  const probability = one.cell.answer?.probability ?? null;
  return (
    <div>
      <Picture cell={one.cell} map={told?.explanation ?? null} opacity={0.7} />
      {error ? <FailureNote error={error} onRetry={again} /> : null}
      {probability === null ? null : (
        <Text size="sm">{t('data.probability', { share: format.probability(probability) })}</Text>
      )}
    </div>
  );
}
