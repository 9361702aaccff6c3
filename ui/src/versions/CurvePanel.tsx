/** ROC, reliability and patients of one or two versions on one set of cells. */
import { Loader, Text } from '@mantine/core';
import { Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import type { SetCurves, VersionCurves } from '../api/types';
import { useAnswer } from '../api/useAnswer';
import { FailureNote } from '../layout/FailureNote';
import { Fetching } from '../layout/Fetching';
import { INKS } from '../parts/Compared';
import { useFigures } from '../parts/figures';
import { lasting } from '../parts/lasting';
import { scaled } from '../parts/scale';
import { LINES, reliabilityOf, rocOf } from './curves';
import { Patients } from './Patients';
import styles from './Versions.module.css';

const Chart = lasting('Chart', () => import('../parts/Chart').then(({ Chart }) => ({ default: Chart })));

export function CurvePanel({ versions, set }: { versions: readonly [string, string?]; set: string }) {
  const { t } = useTranslation();
  const [first, second] = versions;
  const one = useAnswer<VersionCurves>(pathOf(first));
  const other = useAnswer<VersionCurves>(second ? pathOf(second) : null);
  const failure = one.failure ?? other.failure;
  if (failure)
    return (
      <FailureNote
        error={failure}
        onRetry={() => {
          one.again();
          other.again();
        }}
      />
    );
  if (!one.data || (second && !other.data))
    return <Loader role="status" aria-label={t('versions.curves.loading')} />;
  const told = second ? [one.data, other.data] : [one.data];
  const curves = told.map((version) => version?.sets[set]);
  if (curves.every((curve) => !curve)) return <Text>{t('versions.curves.none')}</Text>;
  return <Drawn versions={second ? [first, second] : [first]} curves={curves} />;
}

const pathOf = (version: string) => `/models/${encodeURIComponent(version)}/curves`;

interface Drawing {
  versions: readonly string[];
  curves: readonly (SetCurves | undefined)[];
}

function Drawn({ versions, curves }: Drawing) {
  const { t } = useTranslation();
  const figures = useFigures();
  const series = versions
    .map((label, at) => ({
      name: LINES[at] ?? 'a',
      label,
      color: INKS[at === 0 && versions.length === 2 ? 0 : 1],
      ...(at === 0 && versions.length === 2 ? { strokeDasharray: '6 3' } : {}),
    }))
    .filter((_, at) => curves[at]);
  const axes = {
    dataKey: 'x',
    withTooltip: false,
    connectNulls: true,
    h: 300,
    xAxisProps: {
      type: 'number' as const,
      domain: [0, 1],
      tickFormatter: (x: number) => figures.value(x, 'share'),
    },
    yAxisProps: { domain: [0, 1], width: scaled(60) },
    valueFormatter: (value: number) => figures.value(value, 'share'),
  };
  const roc = rocOf(curves);
  return (
    <div className={styles.curves} data-testid="curves">
      {roc.length > 0 ? (
        <figure>
          <Text component="figcaption" fw={600}>
            {t('versions.curves.roc')}
          </Text>
          <Text size="sm" c="var(--muted)" mb="xs">
            {t('versions.curves.rocWhat')}
          </Text>
          <Suspense fallback={<Fetching />}>
            <Chart {...axes} data={roc} series={series} withDots={false} />
          </Suspense>
        </figure>
      ) : null}
      <figure>
        <Text component="figcaption" fw={600}>
          {t('versions.curves.reliability')}
        </Text>
        <Text size="sm" c="var(--muted)" mb="xs">
          {t('versions.curves.reliabilityWhat')}
        </Text>
        <Suspense fallback={<Fetching />}>
          <Chart
            {...axes}
            data={reliabilityOf(curves)}
            series={[
              ...series,
              {
                name: 'ideal',
                label: t('versions.curves.ideal'),
                color: 'var(--muted)',
                strokeDasharray: '2 4',
              },
            ]}
          />
        </Suspense>
      </figure>
      <Patients versions={versions} curves={curves} rate="sensitivity" />
      <Patients versions={versions} curves={curves} rate="falsePositives" />
    </div>
  );
}
