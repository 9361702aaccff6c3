/** Counts of both classes along an axis. */
import type { BarChartProps } from '@mantine/charts';
import { useTranslation } from 'react-i18next';
import { Bars } from '../parts/Bars';
import { useFormat } from '../parts/format';

type Props = Pick<BarChartProps, 'data' | 'dataKey' | 'xAxisProps' | 'tooltipProps'>;

export function ClassBars({ xAxisProps, ...props }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Bars
      h={200}
      type="stacked"
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
