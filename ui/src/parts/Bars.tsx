/** Bars over an axis, in the page's colours. The first of a place is plain, the next ones are hatched, each in its way. */
import '@mantine/charts/styles.css';
import { BarChart, type BarChartProps } from '@mantine/charts';
import { useId } from 'react';
import { Legend } from './Legend';

export interface BarSeries {
  name: string;
  label: string;
  color: string;
}

type Props = Omit<BarChartProps, 'series'> & { series: readonly BarSeries[] };

const HATCHINGS = ['M0 3h6', 'M0 3h6M3 0v6'];

export function Bars({ series, yAxisProps, ...props }: Props) {
  const id = useId();
  const fills = series.map((one, place) => (place > 0 ? `url(#${id}${place})` : one.color));
  return (
    <div>
      <BarChart
        h={240}
        textColor="var(--mantine-color-text)"
        gridColor="var(--line)"
        tooltipAnimationDuration={0}
        series={[...series]}
        {...props}
        yAxisProps={{ interval: 0, ...yAxisProps }}
        barProps={({ name }) => ({
          isAnimationActive: false,
          fill: fills[series.findIndex((one) => one.name === name)] ?? '',
        })}
      >
        <defs>
          {series.slice(1).map((one, place) => (
            <pattern
              key={one.name}
              id={`${id}${place + 1}`}
              width={6}
              height={6}
              patternUnits="userSpaceOnUse"
              patternTransform="rotate(45)"
            >
              <rect width={6} height={6} fill={one.color} />
              <path d={HATCHINGS[place] ?? ''} stroke="var(--surface)" strokeWidth={1.1} />
            </pattern>
          ))}
        </defs>
      </BarChart>
      <Legend marks={series.map((one, place) => ({ ...one, fill: fills[place] ?? one.color }))} of="bars" />
    </div>
  );
}
