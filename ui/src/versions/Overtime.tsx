/** A figure of all versions, in the order in which they were made. */
import { Select, Text, Title } from '@mantine/core';
import { Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ModelSummary } from '../api/types';
import panels from '../diagnose/Panels.module.css';
import { Fetching } from '../layout/Fetching';
import { useFigures } from '../parts/figures';
import { lasting } from '../parts/lasting';
import { FIGURES, type Figure, figureOf, KINDS } from '../parts/metrics';
import { scaled } from '../parts/scale';
import { on, setsOf } from './sets';
import { useSetName } from './useSetName';
import styles from './Versions.module.css';

const Chart = lasting('Chart', () => import('../parts/Chart').then(({ Chart }) => ({ default: Chart })));

export function Overtime({ models }: { models: readonly ModelSummary[] }) {
  const { t } = useTranslation();
  const figures = useFigures();
  const named = useSetName();
  const sets = setsOf(models);
  const [set, setSet] = useState(sets[0] ?? 'gate');
  const [name, setName] = useState<Figure>('accuracy');
  const points = pointsOf(models, set, name);
  return (
    <section className={panels.panel} aria-label={t('versions.overtime.title')} data-testid="overtime">
      <Title order={3} size="h4" mb="sm">
        {t('versions.overtime.title')}
      </Title>
      <div className={styles.selects}>
        <Select
          label={t('versions.overtime.figure')}
          value={name}
          onChange={(value) => setName(FIGURES.find((one) => one === value) ?? name)}
          allowDeselect={false}
          data={FIGURES.map((one) => ({ value: one, label: t(`figures.${one}`) }))}
        />
        <Select
          label={t('versions.table.set')}
          value={set}
          onChange={(value) => setSet(value ?? set)}
          allowDeselect={false}
          data={sets.map((one) => ({ value: one, label: named(one) }))}
        />
      </div>
      <Text size="sm" c="var(--muted)" my="sm">
        {points.length < 2 ? t('versions.overtime.few') : t('versions.overtime.what')}
      </Text>
      <Suspense fallback={<Fetching />}>
        <Chart
          data={points}
          dataKey="version"
          h={280}
          series={[
            { name: 'value', label: t(`figures.${name}`), color: 'var(--accent)' },
            { name: 'low', label: t('versions.overtime.low'), color: 'var(--muted)', strokeDasharray: '3 4' },
            {
              name: 'high',
              label: t('versions.overtime.high'),
              color: 'var(--muted)',
              strokeDasharray: '8 4',
            },
          ]}
          yAxisProps={{ domain: ['auto', 'auto'], width: scaled(60) }}
          valueFormatter={(value) => figures.value(value, KINDS[name])}
        />
      </Suspense>
    </section>
  );
}

function pointsOf(models: readonly ModelSummary[], set: string, name: Figure) {
  return [...models]
    .sort((a, b) => a.created.localeCompare(b.created))
    .flatMap((model) => {
      const metrics = on(model, set);
      const { value, interval } = metrics ? figureOf(metrics, name) : { value: null, interval: null };
      return value === null
        ? []
        : [{ version: model.version, value, low: interval?.[0] ?? null, high: interval?.[1] ?? null }];
    });
}
