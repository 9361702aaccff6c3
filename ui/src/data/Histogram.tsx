/** How many cells of each class lie where. */
import '@mantine/charts/styles.css';
import { BarChart } from '@mantine/charts';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../parts/format';
import type { Bin } from './figures';

interface Props {
  bins: readonly Bin[];
  value: (value: number) => string;
}

export function Histogram({ bins, value }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <BarChart
      h={220}
      data={bins.map((bin) => ({ ...bin }))}
      dataKey="from"
      type="stacked"
      withLegend
      legendProps={{ verticalAlign: 'bottom' }}
      textColor="var(--mantine-color-text)"
      gridColor="var(--line)"
      barProps={{ isAnimationActive: false }}
      valueFormatter={format.count}
      xAxisProps={{ tickFormatter: value, minTickGap: 32, interval: 'equidistantPreserveStart' }}
      tooltipProps={{
        labelFormatter: (from: ReactNode) => {
          const bin = bins.find((one) => one.from === from);
          return bin ? `${value(bin.from)} – ${value(bin.to)}` : null;
        },
      }}
      series={[
        { name: 'Uninfected', label: t('data.uninfected'), color: 'var(--uninfected)' },
        { name: 'Parasitized', label: t('data.parasitized'), color: 'var(--parasitized)' },
      ]}
    />
  );
}
