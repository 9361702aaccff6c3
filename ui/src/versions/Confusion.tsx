/** What cells are, against what they were called. */
import { useTranslation } from 'react-i18next';
import { useFormat } from '../parts/format';
import type { Metrics } from '../parts/metrics';
import styles from './Versions.module.css';

export function Confusion({ name, metrics }: { name: string; metrics: Metrics }) {
  const { t } = useTranslation();
  const { tp, fp, tn, fn } = metrics.confusion;
  return (
    <table className={styles.confusion} data-testid="confusion">
      <caption>{name}</caption>
      <thead>
        <tr>
          <th scope="col">{t('versions.confusion.are')}</th>
          <th scope="col">{t('versions.confusion.calledParasitized')}</th>
          <th scope="col">{t('versions.confusion.calledUninfected')}</th>
        </tr>
      </thead>
      <tbody>
        <tr>
          <th scope="row">{t('training.classes.Parasitized')}</th>
          <Count count={tp} of={tp + fn} right />
          <Count count={fn} of={tp + fn} />
        </tr>
        <tr>
          <th scope="row">{t('training.classes.Uninfected')}</th>
          <Count count={fp} of={tn + fp} />
          <Count count={tn} of={tn + fp} right />
        </tr>
      </tbody>
    </table>
  );
}

function Count({ count, of, right = false }: { count: number; of: number; right?: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <td className={right ? styles.right : styles.wrong}>
      <b>{format.count(count)}</b>
      {of > 0 ? format.percent(count / of) : '–'}{' '}
      {t(right ? 'versions.confusion.right' : 'versions.confusion.wrong')}
    </td>
  );
}
