/** The retraining as it goes, then what came of it. */
import { Alert, Button, Group, Loader, Progress, Text } from '@mantine/core';
import { IconAlertTriangle, IconX } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../api/failure';
import { cancelJob, LOOK_EVERY } from '../api/training';
import type { Task } from '../api/types';
import { useAnswer } from '../api/useAnswer';
import panels from '../diagnose/Panels.module.css';
import { FailureNote } from '../layout/FailureNote';
import { useFigures } from '../parts/figures';
import { useFormat } from '../parts/format';
import { WhyEnded } from '../training/Why';
import { CompareStep } from './CompareStep';
import { journey } from './journey';
import { choiceOf, ENDED } from './judged';
import { More } from './SendStep';
import styles from './Setup.module.css';

export function AdaptStep() {
  const { t } = useTranslation();
  const { job, ended } = journey.journey;
  const {
    data: task,
    failure,
    again,
  } = useAnswer<Task>(`/retrain/status/${job}`, ended ? undefined : LOOK_EVERY);
  const over = task !== null && ENDED.includes(task.state);
  useEffect(() => {
    if (over) journey.ended();
  }, [over]);
  return (
    <>
      {failure ? (
        <>
          <FailureNote error={failure} onRetry={again} />
          {failure instanceof Failure && failure.status === 404 ? (
            <Button onClick={() => journey.backToLabels()}>{t('setup.adapt.again')}</Button>
          ) : (
            <Text>{t('setup.adapt.goesOn')}</Text>
          )}
        </>
      ) : null}
      {task ? (
        over ? (
          <Ended task={task} />
        ) : (
          <Running task={task} />
        )
      ) : failure ? null : (
        <Loader role="progressbar" aria-label={t('setup.adapt.looking')} />
      )}
    </>
  );
}

function Ended({ task }: { task: Task }) {
  return choiceOf(task) === 'broken' ? <Broken task={task} /> : <CompareStep task={task} />;
}

const WORDS = ['ingest', 'embed', 'point', 'train', 'evaluate', 'publish'] as const;

function Running({ task }: { task: Task }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [why, setWhy] = useState<unknown>(null);
  const word = WORDS.find((name) => name === task.step);
  const percent = Math.round(task.percent ?? 0);
  const left = useFigures().left(task.eta_seconds);
  return (
    <section className={`${panels.panel} ${styles.panel}`} aria-label={t('setup.adapt.title')}>
      <h3 className={styles.big}>
        {t(task.state === 'queued' ? 'setup.adapt.queued' : 'setup.adapt.running')}
      </h3>
      <Progress value={percent} size="lg" aria-label={t('setup.adapt.title')} />
      <Text role="status" data-testid="adapting">
        {word ? `${t(`setup.adapt.${word}`)} · ` : ''}
        {format.percent(percent / 100)}
        {left ? ` · ${t('training.timeline.left', { time: left })}` : ''}
      </Text>
      <Text size="sm" c="var(--muted)">
        {t('setup.adapt.close')}
      </Text>
      <Group>
        <Button
          variant="default"
          leftSection={<IconX size="1.1rem" aria-hidden />}
          disabled={task.cancel_requested}
          onClick={() => cancelJob(task.task_id).then(() => setWhy(null), setWhy)}
        >
          {t('run.cancel')}
        </Button>
      </Group>
      {why ? <FailureNote error={why} /> : null}
    </section>
  );
}

/** It came to no verdict: the labels stay, and may be sent again. */
function Broken({ task }: { task: Task }) {
  const { t } = useTranslation();
  return (
    <section className={`${panels.panel} ${styles.panel}`} aria-label={t('setup.adapt.title')}>
      <Alert
        color="red"
        variant="outline"
        role="alert"
        icon={<IconAlertTriangle aria-hidden />}
        title={t(task.state === 'duplicate' ? 'setup.adapt.twice' : 'setup.adapt.broken')}
      >
        <WhyEnded job={task} />
        <Text fw={550}>{t('setup.adapt.kept')}</Text>
      </Alert>
      <Group>
        <Button onClick={() => journey.backToLabels()}>{t('setup.adapt.again')}</Button>
        <More />
      </Group>
    </section>
  );
}
