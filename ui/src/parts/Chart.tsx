/** Lines over an axis, in the page's colours. Each line differs in dash as well as in colour. */
import '@mantine/charts/styles.css';
import { LineChart, type LineChartProps } from '@mantine/charts';

/** Nothing moves by itself, and no text is lighter than the page's own. */
export function Chart(props: LineChartProps) {
  return (
    <LineChart
      h={240}
      curveType="linear"
      withLegend
      connectNulls={false}
      textColor="var(--mantine-color-text)"
      gridColor="var(--line)"
      tooltipAnimationDuration={0}
      legendProps={{ verticalAlign: 'bottom' }}
      {...props}
      lineProps={{ isAnimationActive: false }}
    />
  );
}
