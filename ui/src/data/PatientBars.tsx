/** Cells of each patient, those with most first. */
import '@mantine/charts/styles.css';
import { BarChart } from '@mantine/charts';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../parts/format';

interface Row {
  patient: string;
  Parasitized: number;
  Uninfected: number;
}

export function PatientBars({ rows }: { rows: readonly Row[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <BarChart
      h={220}
      data={rows.map((row) => ({ ...row }))}
      dataKey="patient"
      type="stacked"
      withLegend
      legendProps={{ verticalAlign: 'bottom' }}
      textColor="var(--mantine-color-text)"
      gridColor="var(--line)"
      barProps={{ isAnimationActive: false }}
      valueFormatter={format.count}
      xAxisProps={{ minTickGap: 24, interval: 'equidistantPreserveStart' }}
      series={[
        { name: 'Uninfected', label: t('data.uninfected'), color: 'var(--uninfected)' },
        { name: 'Parasitized', label: t('data.parasitized'), color: 'var(--parasitized)' },
      ]}
    />
  );
}
