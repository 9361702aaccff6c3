/** Nothing is here yet: how an upload is laid out, and the ways to bring one. */
import { Stack, Text } from '@mantine/core';
import { IconFileZip } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { DropZone } from '../parts/DropZone';
import { desk } from './desk';
import styles from './Training.module.css';

const LAYOUT = ['Parasitized/    *.png', 'Uninfected/     *.png', 'patients.csv    file,patient'].join('\n');

export function BringCells() {
  const { t } = useTranslation();
  return (
    <>
      <Text size="lg" c="var(--muted)">
        {t('training.what')}
      </Text>
      <DropZone
        onBring={(files) => void desk.bring(files)}
        words={{ drop: t('training.drop'), files: t('training.zip'), folder: t('training.folder') }}
        Icon={IconFileZip}
      />
      <Stack gap="xs">
        <Text fw={600}>{t('training.layout')}</Text>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways where the screen is narrow */}
        <pre className={styles.layout} tabIndex={0}>
          {LAYOUT}
        </pre>
        <Text size="sm" c="var(--muted)">
          {t('training.layoutWhy')}
        </Text>
        <Text size="sm" c="var(--muted)">
          {t('training.privacy')}
        </Text>
      </Stack>
    </>
  );
}
