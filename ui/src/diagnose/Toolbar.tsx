/** Filters, what to take away, and starting over. */
import { Button, Group, Menu, Text } from '@mantine/core';
import { IconArrowLeft, IconDownload } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { save } from '../parts/csv';
import { useFormat } from '../parts/format';
import { countOf, FILTERS, type Filter } from './arrange';
import { toCsv, toJson } from './exports';
import styles from './Panels.module.css';
import type { Run } from './run';
import { StartOver } from './StartOver';
import type { Summary } from './summary';

interface Props {
  run: Run;
  summary: Summary;
  filter: Filter;
  onFilter: (filter: Filter) => void;
}

export function Toolbar({ run, summary, filter, onFilter }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const offered = FILTERS.map((name) => ({ name, count: countOf(run.cells, name) })).filter(
    ({ name, count }) => count > 0 || name === 'all' || name === filter,
  );
  return (
    <div className={styles.toolbar}>
      <fieldset aria-label={t('filter.label')} className={styles.filters}>
        {offered.map(({ name, count }) => (
          <Button
            key={name}
            variant={name === filter ? 'filled' : 'default'}
            aria-pressed={name === filter}
            onClick={() => onFilter(name)}
            rightSection={
              <Text span size="sm">
                {format.count(count)}
              </Text>
            }
          >
            {t(`filter.${name}`)}
          </Button>
        ))}
      </fieldset>
      <Group gap="xs">
        <StartOver icon={<IconArrowLeft size="1.1rem" aria-hidden />} />
        <Download run={run} summary={summary} />
      </Group>
    </div>
  );
}

function Download({ run, summary }: { run: Run; summary: Summary }) {
  const { t } = useTranslation();
  const notice = t('app.notice');
  const stamp = new Date().toISOString().slice(0, 16).replace(/[-:]/g, '');
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button
          leftSection={<IconDownload size="1.1rem" aria-hidden />}
          disabled={summary.counts.waiting === summary.total}
        >
          {t('export.label')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          onClick={() => save(`cells-${stamp}.csv`, 'text/csv;charset=utf-8', toCsv(run.cells, notice))}
        >
          {t('export.csv')}
        </Menu.Item>
        <Menu.Item onClick={() => save(`cells-${stamp}.json`, 'application/json', toJson(run.cells, notice))}>
          {t('export.json')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
