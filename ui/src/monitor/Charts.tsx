/** The window in steps. Lines differ by their dashes too, bars by their place. */
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Summary } from '../api/types';
import { Bars } from '../parts/Bars';
import { Chart } from '../parts/Chart';
import { useFormat } from '../parts/format';
import { scaled } from '../parts/scale';
import styles from './Monitor.module.css';
import { anything, charted } from './steps';

const HEIGHT = 190;
const DASHES = ['', '7 4', '2 4'];
const INK = ['var(--accent)', 'var(--uninfected)', 'var(--parasitized)'];

interface Series {
  name: string;
  label: string;
  color: string;
}

export function Charts({ summary }: { summary: Summary }) {
  const { t } = useTranslation();
  const format = useFormat();
  const rows = charted(summary);
  const seconds = summary.step_seconds * summary.steps.length;
  const of = (name: string, label: string, place: number): Series => ({
    name,
    label,
    color: INK[place] ?? 'var(--muted)',
  });
  const shared = { rows, tick: (at: string) => format.tick(at, seconds), moment: format.moment };
  return (
    <div className={styles.charts}>
      <Window
        {...shared}
        kind="bars"
        title={t('monitor.charts.requests')}
        value={format.count}
        series={[
          of('answered', t('monitor.series.answered'), 0),
          { name: 'client_errors', label: t('monitor.series.clientErrors'), color: 'var(--review-fill)' },
          { name: 'server_errors', label: t('monitor.series.serverErrors'), color: 'var(--parasitized)' },
        ]}
      />
      <Window
        {...shared}
        kind="lines"
        title={t('monitor.charts.latency')}
        value={(ms) => format.milliseconds(ms / 1000)}
        series={[
          of('latency_ms_p50', t('monitor.series.p50'), 0),
          of('latency_ms_p95', t('monitor.series.p95'), 1),
          of('latency_ms_p99', t('monitor.series.p99'), 2),
        ]}
      />
      <Window
        {...shared}
        kind="bars"
        title={t('monitor.charts.classes')}
        value={format.count}
        series={[
          { name: 'uninfected', label: t('monitor.series.uninfected'), color: 'var(--uninfected)' },
          { name: 'parasitized', label: t('monitor.series.parasitized'), color: 'var(--parasitized)' },
          { name: 'not_a_cell', label: t('monitor.series.notACell'), color: 'var(--unreadable)' },
        ]}
      />
      <Window
        {...shared}
        kind="lines"
        title={t('monitor.charts.confidence')}
        value={format.percent}
        domain={[0, 1]}
        series={[
          of('confidence_p50', t('monitor.series.confidence'), 0),
          of('review_share', t('monitor.series.review'), 2),
        ]}
      />
      <Window
        {...shared}
        kind="lines"
        title={t('monitor.charts.features')}
        note={t('monitor.charts.featuresNote')}
        value={format.number}
        line={1}
        series={[
          of('feature_distance_p50', t('monitor.series.p50'), 0),
          of('feature_distance_p90', t('monitor.series.p90'), 1),
        ]}
      />
      <Window
        {...shared}
        kind="lines"
        title={t('monitor.charts.looks')}
        note={t('monitor.charts.looksNote')}
        value={format.number}
        series={[
          of('image_deviation_p50', t('monitor.series.p50'), 0),
          of('image_deviation_p90', t('monitor.series.p90'), 1),
        ]}
      />
      <Window
        {...shared}
        kind="bars"
        title={t('monitor.charts.jobs')}
        value={format.count}
        beside
        series={[
          of('uploads', t('monitor.series.uploads'), 0),
          { name: 'jobs_succeeded', label: t('monitor.series.succeeded'), color: 'var(--uninfected)' },
          { name: 'jobs_failed', label: t('monitor.series.failed'), color: 'var(--parasitized)' },
        ]}
      />
      <Window
        {...shared}
        kind="lines"
        title={t('monitor.charts.memory')}
        value={(mb) => format.bytes(mb * 1e6)}
        series={[of('memory_mb', t('monitor.series.memory'), 0)]}
      />
      <Window
        {...shared}
        kind="lines"
        title={t('monitor.charts.processor')}
        value={format.number}
        series={[of('cpu_cores', t('monitor.series.cores'), 0)]}
      />
    </div>
  );
}

interface WindowProps {
  rows: ReturnType<typeof charted>;
  tick: (at: string) => string;
  moment: (at: string) => string;
  kind: 'bars' | 'lines';
  title: string;
  note?: string;
  series: Series[];
  value: (value: number) => string;
  domain?: [number, number];
  /** A line across, at which something is said to begin. */
  line?: number;
  /** Bars stand beside each other, since they are no parts of one whole. */
  beside?: boolean;
}

function Window(props: WindowProps) {
  const { t } = useTranslation();
  const { rows, tick, moment, kind, title, note, series, value, domain, line, beside = false } = props;
  const names = series.map((one) => one.name);
  const told = anything(rows, names);
  const shared = {
    h: HEIGHT,
    data: rows,
    dataKey: 'at',
    valueFormatter: value,
    xAxisProps: {
      tickFormatter: tick,
      minTickGap: scaled(48),
      interval: 'equidistantPreserveStart' as const,
    },
    yAxisProps: { width: scaled(72), allowDecimals: kind === 'lines', ...(domain ? { domain } : {}) },
    tooltipProps: { labelFormatter: (at: ReactNode) => (at ? moment(String(at)) : null) },
  };
  return (
    <section className={styles.panel} aria-label={title}>
      <h3 className={styles.heading}>{title}</h3>
      {note ? <p className={styles.note}>{note}</p> : null}
      {!told ? <p className={styles.empty}>{t('monitor.empty')}</p> : null}
      {told && kind === 'bars' ? (
        <Bars {...shared} type={beside ? 'default' : 'stacked'} series={series} />
      ) : null}
      {told && kind === 'lines' ? (
        <Chart
          {...shared}
          withLegend={series.length > 1}
          dotProps={{ r: 2 }}
          series={series.map((one, place) => ({ ...one, strokeDasharray: DASHES[place] ?? '' }))}
          {...(line === undefined ? {} : { referenceLines: [{ y: line, color: 'var(--review)' }] })}
        />
      ) : null}
    </section>
  );
}
