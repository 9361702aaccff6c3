/** Which version answers now, since when and why, and the way back. */
import { Anchor, Button, Group, Text, Title } from '@mantine/core';
import { IconArrowBackUp, IconCircleCheck } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { ModelList } from '../api/types';
import panels from '../diagnose/Panels.module.css';
import { useFigures } from '../parts/figures';
import training from '../training/Training.module.css';
import { ChangeDialog } from './ChangeDialog';
import { servedBefore } from './sets';
import styles from './Versions.module.css';

export function ServedCard({ list, onChanged }: { list: ModelList; onChanged: () => void }) {
  const { t } = useTranslation();
  const figures = useFigures();
  const [asking, setAsking] = useState(false);
  const before = servedBefore(list.models);
  const [entry] = list.promotions;
  return (
    <section className={panels.panel} aria-label={t('versions.served.title')} data-testid="served">
      <Group justify="space-between" align="start">
        <div className={training.breaks}>
          <Text className={styles.served}>
            <IconCircleCheck size="1rem" aria-hidden />
            {t('versions.served.title')}
          </Text>
          <Title order={3} mt={6}>
            {list.served ? (
              <Anchor
                component={Link}
                href={`/versions?version=${list.served}`}
                inherit
                underline="always"
                data-testid="served-version"
              >
                {list.served}
              </Anchor>
            ) : (
              t('versions.served.none')
            )}
          </Title>
          {entry ? (
            <Text size="sm" c="var(--muted)">
              {t('versions.served.since', { when: figures.moment(entry.at), who: entry.actor })}
            </Text>
          ) : null}
          {entry ? (
            <Text size="sm" lang="en" maw="60rem">
              {entry.reason}
            </Text>
          ) : null}
        </div>
        {before.length > 0 ? (
          <Button
            variant="default"
            leftSection={<IconArrowBackUp size="1.1rem" aria-hidden />}
            onClick={() => setAsking(true)}
          >
            {t('versions.change.rollBack')}
          </Button>
        ) : null}
      </Group>
      {entry && list.served && entry.version !== list.served ? (
        <Text role="alert" mt="sm" fw={600}>
          {t('versions.served.differs', { version: entry.version })}
        </Text>
      ) : null}
      <ChangeDialog
        what={asking ? { kind: 'rollBack', before } : null}
        onClose={() => setAsking(false)}
        onChanged={onChanged}
      />
    </section>
  );
}
