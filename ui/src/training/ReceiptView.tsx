/** The verdict as a receipt that a person reads: what was decided, why, each rule, and both models side by side. */
import { Anchor, Button, Group, Loader, Stack, Text, Title } from '@mantine/core';
import { IconBulb, IconDownload } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { Receipt, Task } from '../api/types';
import { useAnswer } from '../api/useAnswer';
import panels from '../diagnose/Panels.module.css';
import { FailureNote } from '../layout/FailureNote';
import { Compared } from '../parts/Compared';
import { save } from '../parts/csv';
import { useFormat } from '../parts/format';
import { CellTables } from './CellTables';
import styles from './Jobs.module.css';
import { Rules } from './Rules';
import { PLACES, type Place, pairOf, reviewOf } from './receipt';
import { LOOKS, standingOf } from './standing';
import training from './Training.module.css';
import { Advice, WhyVerdict } from './Why';

export function ReceiptView({ job }: { job: Task }) {
  const { t } = useTranslation();
  const { data, failure, again } = useAnswer<Receipt>(
    `/retrain/status/${encodeURIComponent(job.task_id)}/receipt`,
  );
  return (
    <section className={training.column} aria-label={t('training.receipt.title')} data-testid="receipt">
      <Verdict job={job} />
      {failure ? <FailureNote error={failure} onRetry={again} /> : null}
      {!data && !failure ? <Loader role="status" aria-label={t('training.jobs.loading')} /> : null}
      {data ? <Told job={job} receipt={data} /> : null}
    </section>
  );
}

function Verdict({ job }: { job: Task }) {
  const { t } = useTranslation();
  const standing = standingOf(job);
  const { Icon, ink, soft } = LOOKS[standing];
  if (!job.verdict) return null;
  return (
    <div className={styles.verdict} style={{ color: ink, background: soft }} data-testid="verdict">
      <Icon size="2.2rem" aria-hidden />
      <h3>{t(`training.standings.${standing}`)}</h3>
      <p className={styles.words}>{t(`training.receipt.means.${job.verdict}`)}</p>
      <div className={styles.words}>
        <WhyVerdict job={job} />
      </div>
      {job.leader ? (
        <p className={styles.words}>
          <Anchor component={Link} href={`/training?job=${job.leader}`} underline="always" c="inherit">
            {t('training.receipt.together')}
          </Anchor>
        </p>
      ) : null}
    </div>
  );
}

function Told({ job, receipt }: { job: Task; receipt: Receipt }) {
  const { t } = useTranslation();
  return (
    <>
      {receipt.advice ? (
        <section className={panels.panel} aria-label={t('training.receipt.advice')}>
          <Group gap="xs" mb={4}>
            <IconBulb size="1.3rem" color="var(--review)" aria-hidden />
            <Title order={3} size="h4">
              {t('training.receipt.advice')}
            </Title>
          </Group>
          <Advice advised={receipt.advised} text={receipt.advice} />
        </section>
      ) : null}
      <div className={training.columns}>
        <section className={panels.panel} aria-label={t('training.receipt.rules')}>
          <Title order={3} size="h4">
            {t('training.receipt.rules')}
          </Title>
          <Text size="sm" c="var(--muted)" mb="xs">
            {t('training.receipt.bounds')}
          </Text>
          <Rules rules={receipt.criteria} />
        </section>
        <div className={training.column}>
          {PLACES.map((place) => (
            <BothModels key={place} receipt={receipt} place={place} />
          ))}
        </div>
      </div>
      <CellTables job={job} receipt={receipt} />
      <Footer job={job} receipt={receipt} />
    </>
  );
}

function BothModels({ receipt, place }: { receipt: Receipt; place: Place }) {
  const { t } = useTranslation();
  const format = useFormat();
  const pair = pairOf(receipt, place);
  const changed = receipt.changed[place];
  if (!pair) return null;
  const { champion, challenger } = pair;
  return (
    <section
      className={panels.panel}
      aria-label={t(`training.receipt.${place}`)}
      data-testid={`both-${place}`}
    >
      <Stack gap="sm">
        <div>
          <Title order={3} size="h4">
            {t(`training.receipt.${place}`)}
          </Title>
          <Text size="sm" c="var(--muted)">
            {t('training.receipt.cells', {
              cells: format.count(champion.cells),
              parasitized: format.count(champion.parasitized),
              patients: format.count(champion.patients),
            })}
          </Text>
        </div>
        <Compared
          who={[
            { name: t('training.receipt.champion'), metrics: champion },
            { name: t('training.receipt.challenger'), metrics: challenger },
          ]}
        />
        {reviewOf(receipt, place).map(({ who, sent, wrong }) => (
          <Text size="sm" key={who} data-testid={`review-${who}`}>
            {t('training.receipt.review', {
              who: t(`training.receipt.${who}`),
              sent: format.percent(sent),
              wrong: wrong === null ? '–' : format.percent(wrong),
            })}
          </Text>
        ))}
        {changed ? (
          <Text size="sm">
            {t('training.receipt.changed', {
              gained: format.count(changed.gained ?? 0),
              lost: format.count(changed.lost ?? 0),
            })}
          </Text>
        ) : null}
      </Stack>
    </section>
  );
}

function Footer({ job, receipt }: { job: Task; receipt: Receipt }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Group justify="space-between">
      <Text size="sm" c="var(--muted)">
        {receipt.look > 0 ? t('training.receipt.look', { look: format.count(receipt.look) }) : ''}
      </Text>
      <Button
        variant="default"
        leftSection={<IconDownload size="1.1rem" aria-hidden />}
        onClick={() =>
          save(
            `receipt-${job.task_id}.json`,
            'application/json',
            JSON.stringify(
              { notice: t('app.notice'), job: job.task_id, upload: job.name, ...receipt },
              null,
              1,
            ),
          )
        }
      >
        {t('training.receipt.json')}
      </Button>
    </Group>
  );
}
