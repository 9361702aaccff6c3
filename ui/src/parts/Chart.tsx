/** Lines over an axis, in the page's colours. Each line differs in dash as well as in colour. */
import '@mantine/charts/styles.css';
import { LineChart, type LineChartProps } from '@mantine/charts';
import { Legend, type Mark } from './Legend';

type Props = Omit<LineChartProps, 'series'> & { series: readonly Mark[] };

/** Nothing moves by itself, and no text is lighter than the page's own. */
export function Chart({ series, withLegend = true, yAxisProps, ...props }: Props) {
  return (
    <div>
      <LineChart
        h={240}
        curveType="linear"
        connectNulls={false}
        textColor="var(--mantine-color-text)"
        gridColor="var(--line)"
        tooltipAnimationDuration={0}
        series={series.map((one) => ({ ...one }))}
        {...props}
        yAxisProps={{ interval: 0, ...yAxisProps }}
        lineProps={{ isAnimationActive: false }}
      />
      {withLegend ? <Legend marks={series} of="lines" /> : null}
    </div>
  );
}
