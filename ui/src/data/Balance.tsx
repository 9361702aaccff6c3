/** How many cells of each class, in numbers and as lengths. */
import { useTranslation } from 'react-i18next';
import { useFormat } from '../parts/format';
import styles from './Data.module.css';
import { Key } from './Scatter';

interface Row {
  name: string;
  Parasitized: number;
  Uninfected: number;
}

export function Balance({ rows }: { rows: readonly Row[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <div className={styles.balances}>
      {rows.map(({ name, Parasitized, Uninfected }) => (
        <div key={name}>
          <div className={styles.balanceName}>
            <b>{name}</b>
            <span>
              {t('data.counts', {
                parasitized: format.count(Parasitized),
                uninfected: format.count(Uninfected),
                share: format.percent(Parasitized / Math.max(1, Parasitized + Uninfected)),
              })}
            </span>
          </div>
          <div className={styles.balance} aria-hidden>
            <div style={{ flexGrow: Parasitized }} data-label="Parasitized" />
            <div style={{ flexGrow: Uninfected }} data-label="Uninfected" />
          </div>
        </div>
      ))}
      <div className={styles.legend}>
        <Key label="Parasitized" text={t('data.parasitized')} />
        <Key label="Uninfected" text={t('data.uninfected')} />
      </div>
    </div>
  );
}
