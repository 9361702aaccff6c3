/** Whose cells these are: for those to come, and for those that stand there without a patient. */
import { Button, Group, Text, TextInput } from '@mantine/core';
import { IconPencilCheck } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import panels from '../diagnose/Panels.module.css';
import { preferences, usePreferences } from '../parts/preferences';
import { collection } from './collection';
import type { Label } from './label';
import { outbox } from './outbox';
import styles from './Review.module.css';

export function BatchCard({ labels }: { labels: readonly Label[] }) {
  const { t } = useTranslation();
  const { patient, slide } = usePreferences();
  const without = labels.filter((label) => !label.patient).map(({ id }) => id);
  const typed = { patient: patient.trim(), slide: slide.trim() };
  return (
    <section className={`${panels.panel} ${styles.card}`} aria-labelledby="batch">
      <h3 id="batch" className={styles.heading}>
        {t('review.batch.title')}
      </h3>
      <Text size="sm" c="var(--muted)">
        {t('review.batch.why')}
      </Text>
      <div className={`${styles.fields} ${styles.level}`}>
        <TextInput
          label={t('review.batch.patient')}
          description={t('review.batch.pseudonym')}
          maxLength={100}
          value={patient}
          onChange={({ currentTarget }) => preferences.change({ patient: currentTarget.value })}
        />
        <TextInput
          label={t('review.batch.slide')}
          description={t('review.batch.slideWhy')}
          maxLength={100}
          value={slide}
          onChange={({ currentTarget }) => preferences.change({ slide: currentTarget.value })}
        />
      </div>
      {without.length > 0 ? (
        <Group className={styles.push}>
          <Button
            variant="default"
            leftSection={<IconPencilCheck size="1.1rem" aria-hidden />}
            disabled={!typed.patient && !typed.slide}
            onClick={() => void collection.change(without, typed).then(() => outbox.soon())}
          >
            {t('review.batch.write', { count: without.length })}
          </Button>
        </Group>
      ) : null}
    </section>
  );
}
