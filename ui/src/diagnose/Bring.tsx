/** Nothing is here yet: the ways to bring cells. */
import { Button, Group, Loader, Stack, Text, Title } from '@mantine/core';
import { Dropzone } from '@mantine/dropzone';
import { IconClipboard, IconFolderOpen, IconPhotoPlus } from '@tabler/icons-react';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { FailureNote } from '../layout/FailureNote';
import styles from './Bring.module.css';
import { readClipboard } from './clipboard';
import type { Intake } from './useIntake';

const TEST_ID = { 'data-testid': 'files' };
const SAMPLES = [1, 48] as const;

export function Bring({ intake }: { intake: Intake }) {
  const { t } = useTranslation();
  const open = useRef<() => void>(null);
  return (
    <Stack gap="xl" className={styles.bring}>
      <div>
        <Title order={2} className={styles.title}>
          {t('bring.title')}
        </Title>
        <Text size="lg" c="var(--muted)" maw="46rem">
          {t('bring.what')}
        </Text>
      </div>
      <Dropzone
        onDrop={intake.bring}
        openRef={open}
        loading={intake.busy}
        loaderProps={{ type: 'dots' }}
        useFsAccessApi={false}
        activateOnClick={false}
        activateOnKeyboard={false}
        enablePointerEvents
        className={styles.zone}
        tabIndex={-1}
        inputProps={{ 'aria-label': t('bring.files'), tabIndex: -1, ...TEST_ID }}
      >
        <Stack align="center" gap="lg">
          <IconPhotoPlus size="4rem" stroke={1.4} aria-hidden className={styles.icon} />
          <Text size="xl" fw={600} ta="center">
            {t('bring.drop')}
          </Text>
          <Group justify="center">
            <Button
              size="md"
              leftSection={<IconPhotoPlus size="1.2rem" aria-hidden />}
              onClick={() => open.current?.()}
            >
              {t('bring.files')}
            </Button>
            <FolderButton intake={intake} />
            <PasteButton intake={intake} />
          </Group>
          <Text size="sm" c="var(--muted)" ta="center">
            {t('bring.kinds')}
          </Text>
        </Stack>
      </Dropzone>
      {intake.error ? <FailureNote error={intake.error} /> : null}
      <div className={styles.sample}>
        <Text>{t('bring.none')}</Text>
        <Group gap="xs">
          {SAMPLES.map((count) => (
            <Button key={count} variant="default" disabled={intake.busy} onClick={() => intake.sample(count)}>
              {t('bring.sample', { count })}
            </Button>
          ))}
          {intake.busy ? <Loader size="sm" aria-label={t('bring.busy')} /> : null}
        </Group>
      </div>
      <Text size="sm" c="var(--muted)" maw="46rem">
        {t('bring.privacy')}
      </Text>
    </Stack>
  );
}

function FolderButton({ intake }: { intake: Intake }) {
  const { t } = useTranslation();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        hidden
        data-testid="folder"
        aria-label={t('bring.folder')}
        {...{ webkitdirectory: '' }}
        onChange={({ currentTarget }) => {
          intake.bring([...(currentTarget.files ?? [])]);
          currentTarget.value = '';
        }}
      />
      <Button
        size="md"
        variant="default"
        leftSection={<IconFolderOpen size="1.2rem" aria-hidden />}
        onClick={() => input.current?.click()}
      >
        {t('bring.folder')}
      </Button>
    </>
  );
}

function PasteButton({ intake }: { intake: Intake }) {
  const { t } = useTranslation();
  return (
    <Button
      size="md"
      variant="default"
      leftSection={<IconClipboard size="1.2rem" aria-hidden />}
      onClick={() => void readClipboard(t).then(intake.bring)}
    >
      {t('bring.paste')}
    </Button>
  );
}
