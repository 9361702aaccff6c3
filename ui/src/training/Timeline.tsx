/** The way of a job from the queue to the gate, and how far it is on it. */
import { Progress, Timeline as Stages, Text, Title } from '@mantine/core';
import { IconCheck, IconCircle, IconLoader2, IconX, type TablerIcon } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Task } from '../api/types';
import panels from '../diagnose/Panels.module.css';
import { useFigures } from '../parts/figures';
import { useFormat } from '../parts/format';
import { countedOf, type Reached, reached, STAGES, type Stage, stageOf, standingOf } from './standing';

const ICONS: Record<Reached, TablerIcon> = {
  done: IconCheck,
  now: IconLoader2,
  later: IconCircle,
  stopped: IconX,
};

export function Timeline({ job }: { job: Task }) {
  const { t } = useTranslation();
  const done = STAGES.filter((stage) => reached(job, stage) !== 'later').length;
  return (
    <section className={panels.panel} aria-label={t('training.timeline.title')} data-testid="timeline">
      <Title order={3} size="h4" mb="md">
        {t('training.timeline.title')}
      </Title>
      {job.state === 'running' ? <Running job={job} /> : null}
      <Stages active={done - 1} bulletSize={26} lineWidth={2} color="teal">
        {STAGES.map((stage) => (
          <StageItem key={stage} stage={stage} job={job} />
        ))}
      </Stages>
    </section>
  );
}

function StageItem({ stage, job }: { stage: Stage; job: Task }) {
  const { t } = useTranslation();
  const at = reached(job, stage);
  const Icon = ICONS[at];
  return (
    <Stages.Item
      bullet={<Icon size="1rem" aria-hidden />}
      lineVariant={at === 'done' ? 'solid' : 'dashed'}
      title={
        <>
          {t(`training.stages.${stage}.name`)}{' '}
          <Text span size="sm" c="var(--muted)" data-testid={`stage-${stage}`} data-reached={at}>
            {t(`training.reached.${at}`)}
          </Text>
        </>
      }
    >
      <Text size="sm" c="var(--muted)">
        <StageText stage={stage} job={job} />
      </Text>
    </Stages.Item>
  );
}

function StageText({ stage, job }: { stage: Stage; job: Task }) {
  const { t } = useTranslation();
  const figures = useFigures();
  if (stage === 'queued' && job.started)
    return t('training.timeline.waited', {
      time: figures.span((Date.parse(job.started) - Date.parse(job.created)) / 1000),
    });
  if (stage === 'gate' && job.started && job.finished && job.state === 'succeeded')
    return t('training.timeline.took', {
      verdict: t(`training.standings.${standingOf(job)}`),
      time: figures.span((Date.parse(job.finished) - Date.parse(job.started)) / 1000),
    });
  return t(`training.stages.${stage}.what`);
}

function Running({ job }: { job: Task }) {
  const { t } = useTranslation();
  const format = useFormat();
  const left = useFigures().left(job.eta_seconds);
  const percent = job.percent ?? 0;
  const counted = countedOf(job.message, format.count);
  return (
    <div role="status" data-testid="progress">
      <Text fw={600} mb={4}>
        {format.percent(percent / 100)}
        {left ? ` · ${t('training.timeline.left', { time: left })}` : ''}
        {job.epoch
          ? ` · ${t('training.timeline.epoch', { epoch: job.epoch, epochs: job.epochs ?? '?' })}`
          : ''}
      </Text>
      <Progress value={percent} size="lg" mb={6} aria-label={t('training.job.progress')} />
      <Text size="sm" c="var(--muted)" mb="md">
        {t(`training.stages.${stageOf(job.step)}.name`)}
        {counted ? t('app.colon') + t('training.timeline.of', counted) : ''}
      </Text>
    </div>
  );
}
