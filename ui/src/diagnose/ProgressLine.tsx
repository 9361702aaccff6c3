/** How far the cells are, with pause, resume and cancel; and what is wrong where they stand still. */

import { Button, Group, Progress, Stack, Text } from '@mantine/core';
import { IconPlayerPause, IconPlayerPlay, IconX } from '@tabler/icons-react';
import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';
import { Failure } from '../api/failure';
import { FailureNote } from '../layout/FailureNote';
import { useFormat } from '../parts/format';
import styles from './Panels.module.css';
import type { Run } from './run';

export function ProgressLine({ run }: { run: Run }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { settled, total, secondsLeft } = run.progress;
  if (run.state === 'done') return null;
  const passing = run.failure instanceof Failure && run.failure.passing;
  return (
    <section
      className={styles.panel}
      aria-label={t('run.label')}
      data-testid="progress"
      data-state={run.state}
    >
      <Stack gap="xs">
        <Group justify="space-between">
          <Text size="lg" fw={600}>
            {t(`run.${run.state}`)} ·{' '}
            {t('run.settled', { settled: format.count(settled), total: format.count(total) })}
            {run.state === 'running' && secondsLeft !== null ? (
              <span className={styles.left}> · {left(secondsLeft, t)}</span>
            ) : null}
          </Text>
          <Controls run={run} />
        </Group>
        <Progress value={(100 * settled) / Math.max(1, total)} size="lg" aria-label={t('run.label')} />
        {run.state === 'stalled' ? (
          <>
            <Text>{t(passing ? 'run.kept' : 'run.keptUntil')}</Text>
            <FailureNote error={run.failure} />
          </>
        ) : null}
      </Stack>
    </section>
  );
}

function left(seconds: number, t: TFunction): string {
  return seconds < 60
    ? t('run.seconds', { count: Math.max(1, Math.round(seconds)) })
    : t('run.minutes', { count: Math.round(seconds / 60) });
}

function Controls({ run }: { run: Run }) {
  const { t } = useTranslation();
  if (run.ended) return null;
  return (
    <Group gap="xs">
      {run.state === 'running' ? (
        <Button
          variant="default"
          leftSection={<IconPlayerPause size="1.1rem" aria-hidden />}
          onClick={() => run.pause()}
        >
          {t('run.pause')}
        </Button>
      ) : (
        <Button leftSection={<IconPlayerPlay size="1.1rem" aria-hidden />} onClick={() => run.resume()}>
          {t('run.resume')}
        </Button>
      )}
      <Button
        variant="default"
        leftSection={<IconX size="1.1rem" aria-hidden />}
        onClick={() => run.cancel()}
      >
        {t('run.cancel')}
      </Button>
    </Group>
  );
}
