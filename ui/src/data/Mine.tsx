/** A person's own labelled cells: brought, looked through by the model, and shown. */
import { Button, Group, Stack, Text } from '@mantine/core';
import { Dropzone } from '@mantine/dropzone';
import { notifications } from '@mantine/notifications';
import { IconChartHistogram, IconFolderOpen } from '@tabler/icons-react';
import { useRef, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import type { FeatureMap } from '../api/types';
import { ProgressLine } from '../diagnose/ProgressLine';
import { look, useless } from '../training/content';
import styles from './Data.module.css';
import { MineViews } from './MineViews';
import { type Study, studies } from './study';

const TEST_ID = { 'data-testid': 'files' };

export function Mine({ map }: { map: FeatureMap | null }) {
  const study = useSyncExternalStore(studies.subscribe, studies.current);
  return study ? <Opened study={study} map={map} /> : <Bring />;
}

function Opened({ study, map }: { study: Study; map: FeatureMap | null }) {
  const { t } = useTranslation();
  useSyncExternalStore(study.run.subscribe, study.run.snapshot);
  return (
    <>
      <Group justify="space-between">
        <Text fw={550}>{t('data.of', { name: study.content.name, count: study.cells.length })}</Text>
        <Button variant="default" onClick={() => studies.open(null)}>
          {t('data.others')}
        </Button>
      </Group>
      <ProgressLine run={study.run} />
      <MineViews study={study} map={map} />
    </>
  );
}

function Bring() {
  const { t } = useTranslation();
  const open = useRef<() => void>(null);
  const folder = useRef<HTMLInputElement>(null);
  const bring = async (files: readonly File[]) => {
    if (files.length === 0) return;
    const content = await look(files);
    const fault = content.findings.find(useless);
    if (fault && fault.fault !== 'missingClass')
      notifications.show({
        color: 'red',
        autoClose: false,
        title: t('data.unusable'),
        message: t('data.layout'),
      });
    else studies.open(content);
  };
  return (
    <Stack gap="lg">
      <Text size="lg" c="var(--muted)" maw="46rem">
        {t('data.mineWhat')}
      </Text>
      <Dropzone
        onDrop={(files) => void bring(files)}
        openRef={open}
        useFsAccessApi={false}
        activateOnClick={false}
        activateOnKeyboard={false}
        enablePointerEvents
        className={styles.zone}
        tabIndex={-1}
        inputProps={{ 'aria-label': t('data.zip'), tabIndex: -1, ...TEST_ID }}
      >
        <Stack align="center" gap="md">
          <IconChartHistogram size="3.2rem" stroke={1.4} aria-hidden className={styles.icon} />
          <Text size="xl" fw={600} ta="center">
            {t('data.drop')}
          </Text>
          <Group justify="center">
            <Button size="md" onClick={() => open.current?.()}>
              {t('data.zip')}
            </Button>
            <input
              ref={folder}
              type="file"
              hidden
              data-testid="folder"
              aria-label={t('data.folder')}
              {...{ webkitdirectory: '' }}
              onChange={({ currentTarget }) => {
                void bring([...(currentTarget.files ?? [])]);
                currentTarget.value = '';
              }}
            />
            <Button
              size="md"
              variant="default"
              leftSection={<IconFolderOpen size="1.2rem" aria-hidden />}
              onClick={() => folder.current?.click()}
            >
              {t('data.folder')}
            </Button>
          </Group>
          <Text size="sm" c="var(--muted)" ta="center">
            {t('data.layout')}
          </Text>
        </Stack>
      </Dropzone>
      <Text size="sm" c="var(--muted)" maw="46rem">
        {t('data.privacy')}
      </Text>
    </Stack>
  );
}
