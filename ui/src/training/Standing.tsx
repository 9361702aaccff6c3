/** A job's standing as a label: an icon of its own shape, and a word. */
import { useTranslation } from 'react-i18next';
import type { TaskBrief } from '../api/types';
import styles from './Jobs.module.css';
import { LOOKS, standingOf } from './standing';

export function StandingMark({ job }: { job: Pick<TaskBrief, 'state' | 'verdict'> }) {
  const { t } = useTranslation();
  const standing = standingOf(job);
  const { Icon, ink, soft } = LOOKS[standing];
  return (
    <span
      className={styles.mark}
      style={{ color: ink, background: soft }}
      data-testid="standing"
      data-standing={standing}
    >
      <Icon size="1.1rem" aria-hidden />
      {t(`training.standings.${standing}`)}
    </span>
  );
}
