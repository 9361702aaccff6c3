/** What became of the pictures of an upload: taken in, or set aside with a reason. */
import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconDownload } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Task } from '../api/types';
import panels from '../diagnose/Panels.module.css';
import { save } from '../parts/csv';
import { useFormat } from '../parts/format';
import { Words } from '../parts/Words';
import { CLASSES } from './content';
import { type Aside, type Report, reportOf, toCsv } from './ingest';
import jobs from './Jobs.module.css';
import styles from './Training.module.css';

const FIRST = 10;

export function IngestReport({ job }: { job: Task }) {
  const { t } = useTranslation();
  const format = useFormat();
  const report = reportOf(job);
  if (!report) return null;
  return (
    <section className={panels.panel} aria-label={t('training.ingest.title')} data-testid="ingest">
      <Stack>
        <Group justify="space-between">
          <Title order={3} size="h4">
            {t('training.ingest.title')}
          </Title>
          {report.aside.length > 0 ? (
            <Button
              variant="default"
              leftSection={<IconDownload size="1.1rem" aria-hidden />}
              onClick={() =>
                save(`ingest-${job.task_id}.csv`, 'text/csv;charset=utf-8', toCsv(report, t('app.notice')))
              }
            >
              {t('training.ingest.csv')}
            </Button>
          ) : null}
        </Group>
        <Numbers report={report} />
        {report.warnings.length > 0 ? (
          <ul className={styles.findings}>
            {report.warnings.map((warning) => (
              <li key={warning.text} className={styles.finding}>
                <IconAlertTriangle size="1.2rem" color="var(--review)" aria-hidden />
                <Text>
                  <Words
                    at="training.warned"
                    code={warning.code}
                    own={warning.text}
                    values={{ cells: format.count(warning.count), of: format.count(warning.of) }}
                  />
                </Text>
              </li>
            ))}
          </ul>
        ) : null}
        {report.aside.length > 0 ? <AsideTable aside={report.aside} /> : null}
      </Stack>
    </section>
  );
}

function Numbers({ report }: { report: Report }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { counts } = report;
  const near = (counts.duplicates ?? 0) + (counts.near_duplicates ?? 0);
  const told: [string, number][] = [
    ...CLASSES.map((label): [string, number] => [
      t(`training.classes.${label}`),
      report.accepted[label] ?? 0,
    ]),
    [t('training.ingest.patients'), report.patients],
    [t('training.ingest.gate'), report.gate],
    [t('training.ingest.quarantined'), counts.quarantined ?? 0],
    [t('training.ingest.duplicates'), near],
    [t('training.ingest.overlap'), counts.overlap ?? 0],
  ];
  return (
    <dl className={styles.numbers}>
      {told.map(([name, count]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className={styles.figure}>{format.count(count)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A picture may be refused here for what Diagnose refuses it for, too. */
function AsideWhy({ one }: { one: Aside }) {
  const { i18n } = useTranslation();
  const at = i18n.exists(`training.asides.${one.code}`) ? 'training.asides' : 'reason';
  const named = one.kind !== 'duplicates' && one.code === 'contradiction' && one.other === '';
  return <Words at={at} code={named ? '' : one.code} own={one.reason} values={{ other: one.other }} />;
}

function AsideTable({ aside }: { aside: readonly Aside[] }) {
  const { t } = useTranslation();
  const [all, setAll] = useState(false);
  const shown = all ? aside : aside.slice(0, FIRST);
  return (
    <>
      <table className={jobs.table}>
        <caption className={styles.note}>{t('training.ingest.aside')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('training.ingest.file')}</th>
            <th scope="col">{t('training.ingest.reason')}</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((one) => (
            <tr key={`${one.kind} ${one.name}`}>
              <td>{one.name}</td>
              <td className={styles.breaks}>
                <strong>{t(`training.ingest.kinds.${one.kind}`)}</strong> <AsideWhy one={one} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {aside.length > FIRST ? (
        <Button variant="default" onClick={() => setAll(!all)}>
          {all ? t('training.ingest.fewer') : t('training.ingest.all', { count: aside.length })}
        </Button>
      ) : null}
    </>
  );
}
