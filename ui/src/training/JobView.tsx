/** One job: where it stands, what became of its pictures, and what the gate said. */
import { Anchor, Button, Group, Loader, Stack, Text, Title } from '@mantine/core';
import { IconArrowLeft, IconVersions, IconX } from '@tabler/icons-react';
import { Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { LOOK_EVERY } from '../api/training';
import type { Task } from '../api/types';
import { useAnswer } from '../api/useAnswer';
import panels from '../diagnose/Panels.module.css';
import { FailureNote } from '../layout/FailureNote';
import { Fetching } from '../layout/Fetching';
import { lasting } from '../parts/lasting';
import { CancelDialog } from './CancelDialog';
import { IngestReport } from './IngestReport';
import { JobFacts } from './JobFacts';
import { ReceiptView } from './ReceiptView';
import { StandingMark } from './Standing';
import { alive } from './standing';
import { Timeline } from './Timeline';
import training from './Training.module.css';
import { WhyEnded } from './Why';

const Curves = lasting('Curves', () => import('./Curves'));

export function JobView({ id }: { id: string }) {
  const { t } = useTranslation();
  const [ended, setEnded] = useState(false);
  const { data, failure, again } = useAnswer<Task>(
    `/retrain/status/${encodeURIComponent(id)}`,
    ended ? undefined : LOOK_EVERY,
  );
  if (data && !alive(data) && !ended) setEnded(true);
  return (
    <div className={training.screen}>
      <Anchor component={Link} href="/training" underline="always">
        <Group gap={6} component="span">
          <IconArrowLeft size="1.1rem" aria-hidden />
          {t('training.job.back')}
        </Group>
      </Anchor>
      {failure ? <FailureNote error={failure} onRetry={again} /> : null}
      {!data && !failure ? <Loader role="status" aria-label={t('training.jobs.loading')} /> : null}
      {data ? <Told job={data} again={again} /> : null}
    </div>
  );
}

function Told({ job, again }: { job: Task; again: () => void }) {
  const { t } = useTranslation();
  return (
    <>
      <Head job={job} again={again} />
      {job.reason && !job.verdict ? (
        <div className={panels.panel}>
          <Text fw={600}>{t(alive(job) ? 'training.job.waits' : 'training.job.why')}</Text>
          <WhyEnded job={job} />
        </div>
      ) : null}
      {job.verdict ? <ReceiptView job={job} /> : null}
      <div className={training.columns}>
        <div className={training.column}>
          <Timeline job={job} />
          {job.losses.length > 0 ? (
            <section className={panels.panel} aria-label={t('training.curves.title')}>
              <Title order={3} size="h4" mb="md">
                {t('training.curves.title')}
              </Title>
              <Suspense fallback={<Fetching />}>
                <Curves job={job} />
              </Suspense>
            </section>
          ) : null}
        </div>
        <div className={training.column}>
          <IngestReport job={job} />
          <JobFacts job={job} />
        </div>
      </div>
    </>
  );
}

function Head({ job, again }: { job: Task; again: () => void }) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  return (
    <Group justify="space-between" align="start">
      <Stack gap="xs" className={training.breaks}>
        <Title order={2}>{job.name}</Title>
        <div aria-live="polite">
          <StandingMark job={job} />
        </div>
      </Stack>
      {alive(job) && !job.cancel_requested ? (
        <Button
          variant="default"
          leftSection={<IconX size="1.1rem" aria-hidden />}
          onClick={() => setAsking(true)}
        >
          {t('training.cancel.button')}
        </Button>
      ) : null}
      {alive(job) && job.cancel_requested ? <Text role="status">{t('training.cancel.asked')}</Text> : null}
      {job.version ? (
        <Button
          component={Link}
          href={`/versions?version=${job.version}`}
          variant="default"
          leftSection={<IconVersions size="1.1rem" aria-hidden />}
        >
          {t('training.job.model')}
        </Button>
      ) : null}
      <CancelDialog job={job} opened={asking} onClose={() => setAsking(false)} onDone={again} />
    </Group>
  );
}
