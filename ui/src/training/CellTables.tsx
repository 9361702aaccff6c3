/** Cells that changed hands, and labels of the upload that somebody should look at. */
import { Button, Group, Text, Title } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Receipt, Task } from '../api/types';
import panels from '../diagnose/Panels.module.css';
import { csv, save } from '../parts/csv';
import { useFormat } from '../parts/format';
import { CLASSES } from './content';
import styles from './Jobs.module.css';
import { type Doubted, doubtedOf, type Moved, movedOf } from './receipt';

export function CellTables({ job, receipt }: { job: Task; receipt: Receipt }) {
  const { t } = useTranslation();
  const [doubted, moved] = [doubtedOf(receipt), movedOf(receipt)];
  return (
    <>
      {doubted.length > 0 ? (
        <Folded
          title={t('training.doubted.title', { count: doubted.length })}
          what={t('training.doubted.what')}
          onSave={() =>
            save(
              `labels-${job.task_id}.csv`,
              'text/csv;charset=utf-8',
              csv(
                ['name', 'patient', 'label', 'probability_parasitized'],
                doubted.map((cell) => [cell.name, cell.patient, cell.label, cell.champion]),
                t('app.notice'),
              ),
            )
          }
        >
          <DoubtedTable cells={doubted} />
        </Folded>
      ) : null}
      {moved.length > 0 ? (
        <Folded
          title={t('training.moved.title', { count: moved.length })}
          what={t('training.moved.what')}
          onSave={() =>
            save(
              `changed-${job.task_id}.csv`,
              'text/csv;charset=utf-8',
              csv(
                ['gate', 'name', 'patient', 'label', 'champion', 'challenger', 'gained'],
                moved.map((c) => [c.place, c.name, c.patient, c.label, c.champion, c.challenger, c.gained]),
                t('app.notice'),
              ),
            )
          }
        >
          <MovedTable cells={moved} />
        </Folded>
      ) : null}
    </>
  );
}

interface FoldedProps {
  title: string;
  what: string;
  onSave: () => void;
  children: React.ReactNode;
}

function Folded({ title, what, onSave, children }: FoldedProps) {
  const { t } = useTranslation();
  return (
    <details className={panels.panel}>
      <summary>
        <Title order={3} size="h4" display="inline">
          {title}
        </Title>
      </summary>
      <Group justify="space-between" my="sm">
        <Text size="sm" c="var(--muted)" flex={1} miw="12rem">
          {what}
        </Text>
        <Button variant="default" leftSection={<IconDownload size="1.1rem" aria-hidden />} onClick={onSave}>
          {t('training.ingest.csv')}
        </Button>
      </Group>
      {children}
    </details>
  );
}

function DoubtedTable({ cells }: { cells: readonly Doubted[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          <th scope="col">{t('training.cells.cell')}</th>
          <th scope="col">{t('training.cells.label')}</th>
          <th scope="col" className={styles.figure}>
            {t('training.cells.served')}
          </th>
        </tr>
      </thead>
      <tbody>
        {cells.map((cell) => (
          <tr key={cell.name}>
            <td>{cell.name}</td>
            <td>
              <Label label={cell.label} />
            </td>
            <td className={styles.figure}>{format.probability(cell.champion)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function MovedTable({ cells }: { cells: readonly Moved[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          <th scope="col">{t('training.cells.cell')}</th>
          <th scope="col">{t('training.cells.label')}</th>
          <th scope="col" className={styles.figure}>
            {t('training.cells.both')}
          </th>
          <th scope="col">{t('training.cells.now')}</th>
        </tr>
      </thead>
      <tbody>
        {cells.map((cell) => (
          <tr key={cell.place + cell.name}>
            <td>{cell.name}</td>
            <td>
              <Label label={cell.label} />
            </td>
            <td className={styles.figure}>
              {format.probability(cell.champion)} → {format.probability(cell.challenger)}
            </td>
            <td>{t(cell.gained ? 'training.cells.gained' : 'training.cells.lost')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Label({ label }: { label: string }) {
  const { t } = useTranslation();
  const known = CLASSES.find((one) => one === label);
  return known ? t(`training.classes.${known}`) : label;
}
