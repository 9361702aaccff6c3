/** Loss and accuracy by epoch, of the cells learnt from and of validation patients. */
import { Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Task } from '../api/types';
import { Chart } from '../parts/Chart';
import { useFigures } from '../parts/figures';
import styles from './Jobs.module.css';

export default function Curves({ job }: { job: Task }) {
  const { t } = useTranslation();
  const figures = useFigures();
  const accuracy = job.losses.some((epoch) => epoch.accuracy != null || epoch.validation_accuracy != null);
  const series = (name: 'loss' | 'accuracy') => [
    { name, label: t('training.curves.learnt'), color: 'var(--muted)', strokeDasharray: '6 4' },
    { name: `validation_${name}`, label: t('training.curves.validation'), color: 'var(--accent)' },
  ];
  const by = t('training.curves.epoch');
  const data = [...job.losses].sort((a, b) => a.epoch - b.epoch);
  const axis = { data, dataKey: 'epoch' };
  return (
    <div className={styles.charts}>
      <figure>
        <Text component="figcaption" fw={600} mb="xs">
          {t('training.curves.loss')}, {by}
        </Text>
        <Chart {...axis} series={series('loss')} valueFormatter={(value) => figures.value(value, 'number')} />
      </figure>
      {accuracy ? (
        <figure>
          <Text component="figcaption" fw={600} mb="xs">
            {t('training.curves.accuracy')}, {by}
          </Text>
          <Chart
            {...axis}
            series={series('accuracy')}
            yAxisProps={{ domain: [lowest(job), 1] }}
            valueFormatter={(value) => figures.value(value, 'share')}
          />
        </figure>
      ) : null}
    </div>
  );
}

/** Of the accuracies, in whole tenths below them. */
function lowest(job: Task): number {
  const told = job.losses.flatMap((epoch) => [epoch.accuracy ?? 1, epoch.validation_accuracy ?? 1]);
  return Math.floor(10 * Math.min(0.9, ...told)) / 10;
}
