/** A person's own labelled cells: brought, looked through by the model, and shown. */
import { Button, Group, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconChartHistogram } from '@tabler/icons-react';
import { useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import type { FeatureMap } from '../api/types';
import { ProgressLine } from '../diagnose/ProgressLine';
import { DropZone } from '../parts/DropZone';
import { look, useless } from '../training/content';
import { MineViews } from './MineViews';
import { type Study, studies } from './study';

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
      <DropZone
        onBring={(files) => void bring(files)}
        words={{
          drop: t('data.drop'),
          files: t('data.zip'),
          folder: t('data.folder'),
          kinds: t('data.layout'),
        }}
        Icon={IconChartHistogram}
      />
      <Text size="sm" c="var(--muted)" maw="46rem">
        {t('data.privacy')}
      </Text>
    </Stack>
  );
}
