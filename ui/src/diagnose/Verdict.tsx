/** The answer in words, large enough for a look from across the bench. */
import { useTranslation } from 'react-i18next';
import type { Cell } from './cell';
import { MARKS, saidOf } from './marks';
import { useReason } from './useReason';
import styles from './Verdict.module.css';

export function Verdict({ cell }: { cell: Cell }) {
  const { t } = useTranslation();
  const reason = useReason();
  const said = saidOf(cell);
  const { Icon, ink } = MARKS[said];
  const { Icon: Eye } = MARKS.review;
  const why = cell.answer?.needsReview ? cell.answer.review : null;
  return (
    <div>
      <p className={styles.verdict} style={{ color: ink }} data-testid="verdict">
        <Icon size="1.1em" stroke={2} aria-hidden className={styles.icon} />
        {t(`verdict.${said}`)}
      </p>
      {cell.answer?.needsReview ? (
        <p className={styles.review}>
          <Eye size="1.3rem" aria-hidden className={styles.icon} />
          <span>
            <strong>{t('verdict.look')}</strong> {why ? reason(why) : null}
          </span>
        </p>
      ) : null}
      {cell.trouble ? <p className={styles.trouble}>{reason(cell.trouble)}</p> : null}
    </div>
  );
}
