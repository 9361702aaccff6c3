/** Cells whose label the model speaks against, as a sheet to look through and a list to take away. */
import { Button, Group, Loader, Text } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useAddress } from '../diagnose/Picture';
import { csv, save } from '../parts/csv';
import { useFormat } from '../parts/format';
import styles from './Data.module.css';
import { belief } from './figures';
import type { Studied } from './study';

const AT_ONCE = 36;
const COLUMNS = ['file', 'label', 'called', 'probability_of_label', 'patient'];

interface Props {
  cells: readonly Studied[];
  ready: boolean;
  name: string;
}

export function ContactSheet({ cells, ready, name }: Props) {
  const { t } = useTranslation();
  const [shown, setShown] = useState(AT_ONCE);
  const download = () =>
    save(
      `doubted-${name.replace(/\.zip$/i, '')}.csv`,
      'text/csv;charset=utf-8',
      csv(COLUMNS, cells.map(row), t('app.notice')),
    );
  if (!ready && cells.length === 0) return <Loader role="progressbar" aria-label={t('data.waiting')} />;
  if (cells.length === 0) return <Text>{t('data.noErrors')}</Text>;
  return (
    <>
      <ul className={styles.sheet}>
        {cells.slice(0, shown).map((one) => (
          <Doubted key={one.cell.id} one={one} />
        ))}
      </ul>
      <Group mt="md">
        {cells.length > shown ? (
          <Button variant="default" onClick={() => setShown(shown + AT_ONCE)}>
            {t('data.more', { count: cells.length - shown })}
          </Button>
        ) : null}
        <Button variant="default" leftSection={<IconDownload size="1rem" aria-hidden />} onClick={download}>
          {t('data.download')}
        </Button>
      </Group>
    </>
  );
}

const row = (one: Studied) => [
  one.cell.name,
  one.label,
  one.cell.answer?.prediction ?? null,
  belief(one),
  one.patient,
];

function Doubted({ one }: { one: Studied }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { address, failed, fail } = useAddress(one.cell);
  const label = t(one.label === 'Parasitized' ? 'data.labelledParasitized' : 'data.labelledUninfected');
  return (
    <li className={styles.doubted}>
      {address && !failed ? <img src={address} alt={one.cell.name} onError={fail} loading="lazy" /> : null}
      <Text size="sm" fw={550}>
        {label}
      </Text>
      <Text size="sm" c="var(--muted)">
        {t('data.believed', { share: format.probability(belief(one) ?? 0) })}
      </Text>
    </li>
  );
}
