/** How the system fares: now, over a window, and how right it was where people have said what cells were. */
import '@mantine/charts/styles.css';
import { Button, Group, Loader, SegmentedControl, Text, Title } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Health, Quality, Summary } from '../api/types';
import { useAnswer } from '../api/useAnswer';
import { FailureNote } from '../layout/FailureNote';
import { csv, save } from '../parts/csv';
import { useFormat } from '../parts/format';
import { useQuery } from '../parts/useQuery';
import { Charts } from './Charts';
import { LiveAccuracy } from './LiveAccuracy';
import styles from './Monitor.module.css';
import { Served } from './Served';
import { COLUMNS, tableOf } from './steps';
import { Tiles } from './Tiles';
import { UpStrip } from './UpStrip';

const WINDOWS = ['1h', '6h', '24h', '7d', '30d'] as const;
type Window = (typeof WINDOWS)[number];
const EVERY = 30_000;
/** A window of long steps changes slowly, and to ask may cost money where others keep the figures. */
const SUMMARY_EVERY: Record<Window, number> = {
  '1h': EVERY,
  '6h': 2 * EVERY,
  '24h': 4 * EVERY,
  '7d': 10 * EVERY,
  '30d': 10 * EVERY,
};

export default function Monitor() {
  const { t } = useTranslation();
  const [asked, choose] = useQuery('window');
  const window = WINDOWS.find((one) => one === asked) ?? '24h';
  const summary = useAnswer<Summary>(`/metrics/summary?window=${window}`, SUMMARY_EVERY[window]);
  const health = useAnswer<Health>('/health', EVERY);
  const quality = useAnswer<Quality>('/metrics/quality', 5 * EVERY);
  return (
    <div className={styles.screen}>
      <Group justify="space-between" gap="sm">
        <Title order={2}>{t('monitor.title')}</Title>
        <SegmentedControl
          aria-label={t('monitor.window.label')}
          data={WINDOWS.map((value) => ({ value, label: t(`monitor.window.${value}`) }))}
          value={window}
          onChange={(value) => choose(value as Window)}
        />
      </Group>
      {summary.failure ? <FailureNote error={summary.failure} onRetry={summary.again} /> : null}
      <Tiles health={health} summary={summary.data} />
      {summary.data ? <Whole summary={summary.data} /> : summary.failure ? null : <Loader m="xl" />}
      <LiveAccuracy quality={quality} />
    </div>
  );
}

function Whole({ summary }: { summary: Summary }) {
  const { t } = useTranslation();
  const format = useFormat();
  const download = () =>
    save(
      `monitor-${summary.window}-${summary.time.slice(0, 19).replaceAll(':', '-')}.csv`,
      'text/csv;charset=utf-8',
      csv(COLUMNS, tableOf(summary), t('app.notice')),
    );
  return (
    <>
      <UpStrip summary={summary} />
      <Charts summary={summary} />
      <Served summary={summary} />
      <Group justify="space-between" gap="sm">
        <Text size="sm" c="var(--muted)">
          {t('monitor.asOf', {
            time: format.moment(summary.time),
            step: format.duration(summary.step_seconds),
          })}
        </Text>
        <Button variant="default" leftSection={<IconDownload size="1rem" aria-hidden />} onClick={download}>
          {t('monitor.download')}
        </Button>
      </Group>
    </>
  );
}
