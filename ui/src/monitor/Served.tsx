/** Which versions were served when, newest first. */
import { Table } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Summary } from '../api/types';
import { useFormat } from '../parts/format';
import styles from './Monitor.module.css';
import { Wide } from './Wide';

export function Served({ summary }: { summary: Summary }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <section className={styles.panel} aria-label={t('monitor.served.title')}>
      <h3 className={styles.heading}>{t('monitor.served.title')}</h3>
      <Wide label={t('monitor.served.title')}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('monitor.served.version')}</Table.Th>
              <Table.Th>{t('monitor.served.since')}</Table.Th>
              <Table.Th>{t('monitor.served.until')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {summary.served.toReversed().map((one) => (
              <Table.Tr key={`${one.version} ${one.since}`}>
                <Table.Td className={styles.version}>{one.version}</Table.Td>
                <Table.Td>{format.moment(one.since)}</Table.Td>
                <Table.Td>{one.until ? format.moment(one.until) : t('monitor.served.still')}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Wide>
    </section>
  );
}
