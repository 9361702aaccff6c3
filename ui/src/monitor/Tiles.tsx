/** What a person at the door wants to know first: is it well, is it used, is it quick. */
import { Text } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, type TablerIcon } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Health, Summary } from '../api/types';
import type { Answered } from '../api/useAnswer';
import { useFormat } from '../parts/format';
import styles from './Monitor.module.css';

interface Props {
  health: Answered<Health>;
  summary: Summary | null;
}

export function Tiles({ health, summary }: Props) {
  return (
    <div className={styles.tiles}>
      <Well health={health} />
      {summary ? <OfTheWindow summary={summary} /> : null}
    </div>
  );
}

function Well({ health }: { health: Answered<Health> }) {
  const { t } = useTranslation();
  const format = useFormat();
  const told = health.failure ? null : health.data;
  const state = health.failure ? 'silent' : told ? told.status : 'waiting';
  const Icon: TablerIcon | null =
    state === 'ok' ? IconCircleCheck : state === 'waiting' ? null : IconAlertTriangle;
  return (
    <Tile
      name={t('monitor.now')}
      value={t(`monitor.health.${state}`)}
      Icon={Icon}
      bad={state !== 'ok' && Icon !== null}
      word
    >
      {told ? (
        <>
          {told.reason ?? t('monitor.model', { version: told.model_version ?? '–' })}
          <br />
          {t('monitor.since', { time: format.duration(told.uptime_seconds) })}
        </>
      ) : null}
    </Tile>
  );
}

function OfTheWindow({ summary }: { summary: Summary }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { total } = summary;
  const ms = (value: number | null) => (value === null ? '–' : format.milliseconds(value / 1000));
  const failed = total.requests ? (total.server_errors ?? 0) / total.requests : 0;
  return (
    <>
      <Tile name={t('monitor.up')} value={total.up === null ? '–' : format.percent(total.up)}>
        {total.up === null ? t('monitor.upUnknown') : t('monitor.upWhat')}
      </Tile>
      <Tile name={t('monitor.requests')} value={format.count(total.requests ?? 0)}>
        {t('monitor.perMinute', { rate: format.number(summary.requests_per_minute ?? 0) })}
      </Tile>
      <Tile
        name={t('monitor.errors')}
        value={format.count(total.server_errors ?? 0)}
        Icon={failed > 0 ? IconAlertTriangle : null}
        bad={failed > 0}
      >
        {t('monitor.refused', { count: total.client_errors ?? 0 })}
      </Tile>
      <Tile name={t('monitor.latency')} value={ms(total.latency_ms.p95)}>
        {t('monitor.latencyRest', { p50: ms(total.latency_ms.p50), p99: ms(total.latency_ms.p99) })}
      </Tile>
      <Tile name={t('monitor.pictures')} value={format.count(total.pictures)}>
        {total.pictures
          ? t('monitor.toReview', { share: format.percent(total.review / total.pictures) })
          : t('monitor.none')}
      </Tile>
      <Tile
        name={t('monitor.memory')}
        value={total.memory_mb === null ? '–' : format.bytes(total.memory_mb * 1e6)}
      >
        {total.cpu_cores === null ? null : t('monitor.cores', { cores: format.number(total.cpu_cores) })}
      </Tile>
    </>
  );
}

interface TileProps {
  name: string;
  value: string;
  Icon?: TablerIcon | null;
  bad?: boolean;
  /** A word, not a number. */
  word?: boolean;
  children?: ReactNode;
}

function Tile({ name, value, Icon = null, bad = false, word = false, children }: TileProps) {
  return (
    <section className={styles.tile} aria-label={name}>
      <Text size="sm" fw={550}>
        {name}
      </Text>
      <p
        className={styles.value}
        data-testid="value"
        data-bad={bad || undefined}
        data-word={word || undefined}
      >
        {Icon ? <Icon size="1.2em" aria-hidden /> : null}
        {value}
      </p>
      <Text size="sm" c="var(--muted)" className={styles.aside}>
        {children}
      </Text>
    </section>
  );
}
