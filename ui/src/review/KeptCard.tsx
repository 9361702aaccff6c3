/** What is kept, where, how many and how large; whether more is; and emptying it. */
import { Group, Switch, Text } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import panels from '../diagnose/Panels.module.css';
import { sessions } from '../diagnose/session';
import { useFormat } from '../parts/format';
import { preferences, usePreferences } from '../parts/preferences';
import { SureButton } from '../parts/SureButton';
import { collection } from './collection';
import type { Label } from './label';
import { outbox } from './outbox';
import styles from './Review.module.css';

export function KeptCard({ labels }: { labels: readonly Label[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { collect } = usePreferences();
  const bytes = labels.reduce((sum, { picture }) => sum + picture.size, 0);
  return (
    <section className={`${panels.panel} ${styles.card}`} aria-labelledby="kept">
      <h3 id="kept" className={styles.heading}>
        {t('review.kept.title')}
      </h3>
      <Switch
        label={t('review.kept.collect')}
        description={t('review.kept.collectHow')}
        checked={collect}
        onChange={({ currentTarget }) => turn(currentTarget.checked)}
      />
      <Text data-testid="kept">
        {labels.length > 0
          ? t('review.kept.count', {
              count: labels.length,
              cells: format.count(labels.length),
              size: format.bytes(bytes),
            })
          : t('review.kept.nothing')}
      </Text>
      <Text size="sm" c="var(--muted)">
        {t('review.kept.where')}
      </Text>
      <Group className={styles.push}>
        <SureButton
          icon={<IconTrash size="1.1rem" aria-hidden />}
          label={t('review.kept.empty')}
          sure={t('review.kept.sure', { count: labels.length })}
          disabled={labels.length === 0}
          onSure={() => {
            preferences.change({ patient: '', slide: '' }); // they belong to what is gone
            void collection.empty();
          }}
        />
      </Group>
    </section>
  );
}

/** Whoever begins to collect means the cells that are open, too. */
function turn(on: boolean): void {
  preferences.change({ collect: on });
  if (!on) return;
  for (const cell of sessions.decisions()) void collection.collect(cell);
  outbox.soon();
}
