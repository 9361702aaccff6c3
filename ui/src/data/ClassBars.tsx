/** Counts of both classes along an axis. */
import '@mantine/charts/styles.css';
import { BarChart, type BarChartProps } from '@mantine/charts';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../parts/format';

type Props = Pick<BarChartProps, 'data' | 'dataKey' | 'xAxisProps' | 'tooltipProps'>;

export function ClassBars({ xAxisProps, ...props }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <BarChart
      h={220}
      type="stacked"
      withLegend
      legendProps={{ verticalAlign: 'bottom' }}
      textColor="var(--mantine-color-text)"
      gridColor="var(--line)"
      barProps={{ isAnimationActive: false }}
      valueFormatter={format.count}
      xAxisProps={{ minTickGap: 28, interval: 'equidistantPreserveStart', ...xAxisProps }}
      series={[
        { name: 'Uninfected', label: t('data.uninfected'), color: 'var(--uninfected)' },
        { name: 'Parasitized', label: t('data.parasitized'), color: 'var(--parasitized)' },
      ]}
      {...props}
    />
  );
}
