/** How often the model was right, on cells of which a person has said what they were. */
import { Loader, Table } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Figure, Figures, Quality } from '../api/types';
import type { Answered } from '../api/useAnswer';
import { FailureNote } from '../layout/FailureNote';
import { useFormat } from '../parts/format';
import styles from './Monitor.module.css';
import { Wide } from './Wide';

type Part = 'overall' | 'version' | 'site' | 'week';

export function LiveAccuracy({ quality }: { quality: Answered<Quality> }) {
  const { t } = useTranslation();
  const told = quality.data;
  return (
    <section className={styles.panel} aria-label={t('monitor.quality.title')}>
      <h3 className={styles.heading}>{t('monitor.quality.title')}</h3>
      {quality.failure ? <FailureNote error={quality.failure} onRetry={quality.again} /> : null}
      {!told && !quality.failure ? <Loader m="md" /> : null}
      {told && !told.overall.cells ? <p className={styles.note}>{t('monitor.quality.none')}</p> : null}
      {told?.overall.cells ? <Told quality={told} /> : null}
    </section>
  );
}

function Told({ quality }: { quality: Quality }) {
  const { t } = useTranslation();
  const parts: [Part, Figures[]][] = [
    ['overall', [quality.overall]],
    ['version', quality.by_version],
    ['site', quality.by_site],
    ['week', quality.by_week],
  ];
  return (
    <>
      <p className={styles.note}>{t('monitor.quality.note')}</p>
      {quality.disputed ? (
        <p className={styles.note}>{t('monitor.quality.disputed', { count: quality.disputed })}</p>
      ) : null}
      <Wide label={t('monitor.quality.title')}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('monitor.quality.of')}</Table.Th>
              <Table.Th>{t('monitor.quality.cells')}</Table.Th>
              <Table.Th>{t('monitor.quality.sensitivity')}</Table.Th>
              <Table.Th>{t('monitor.quality.specificity')}</Table.Th>
              <Table.Th>{t('monitor.quality.accuracy')}</Table.Th>
              <Table.Th>{t('monitor.quality.calibration')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          {parts.map(([part, rows]) => (
            <Table.Tbody key={part}>
              {rows.map((figures) => (
                <Line key={figures.name ?? part} part={part} figures={figures} />
              ))}
            </Table.Tbody>
          ))}
        </Table>
      </Wide>
    </>
  );
}

function Line({ part, figures }: { part: Part; figures: Figures }) {
  const { t } = useTranslation();
  const format = useFormat();
  const rate = ({ value, low, high }: Figure) => {
    if (value === null || value === undefined) return t('monitor.quality.tooFew');
    if (low === null || low === undefined || high === null || high === undefined)
      return format.percent(value);
    return format.interval(value, low, high);
  };
  return (
    <Table.Tr>
      <Table.Th scope="row">
        {part === 'overall'
          ? t('monitor.quality.all')
          : `${t(`monitor.quality.${part}`)} ${figures.name ?? '–'}`}
      </Table.Th>
      <Table.Td>
        {t('monitor.quality.counts', {
          parasitized: format.count(figures.parasitized),
          uninfected: format.count(figures.uninfected),
        })}
      </Table.Td>
      <Table.Td>{rate(figures.sensitivity)}</Table.Td>
      <Table.Td>{rate(figures.specificity)}</Table.Td>
      <Table.Td>{rate(figures.accuracy)}</Table.Td>
      <Table.Td>{rate(figures.ece)}</Table.Td>
    </Table.Tr>
  );
}
