/** Nothing is here yet: how an upload is laid out, and the ways to bring one. */
import { Button, Group, Stack, Text } from '@mantine/core';
import { Dropzone } from '@mantine/dropzone';
import { IconFileZip, IconFolderOpen } from '@tabler/icons-react';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { desk } from './desk';
import styles from './Training.module.css';

const TEST_ID = { 'data-testid': 'files' };
const LAYOUT = ['Parasitized/    *.png', 'Uninfected/     *.png', 'patients.csv    file,patient'].join('\n');

export function BringCells() {
  const { t } = useTranslation();
  const open = useRef<() => void>(null);
  const bring = (files: readonly File[]) => void desk.bring(files);
  return (
    <>
      <Text size="lg" c="var(--muted)">
        {t('training.what')}
      </Text>
      <Dropzone
        onDrop={bring}
        openRef={open}
        useFsAccessApi={false}
        activateOnClick={false}
        activateOnKeyboard={false}
        enablePointerEvents
        className={styles.zone}
        tabIndex={-1}
        inputProps={{ 'aria-label': t('training.zip'), tabIndex: -1, ...TEST_ID }}
      >
        <Stack align="center" gap="md">
          <IconFileZip size="3.2rem" stroke={1.4} aria-hidden className={styles.icon} />
          <Text size="xl" fw={600} ta="center">
            {t('training.drop')}
          </Text>
          <Group justify="center">
            <Button
              size="md"
              leftSection={<IconFileZip size="1.2rem" aria-hidden />}
              onClick={() => open.current?.()}
            >
              {t('training.zip')}
            </Button>
            <FolderButton bring={bring} />
          </Group>
        </Stack>
      </Dropzone>
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

function FolderButton({ bring }: { bring: (files: readonly File[]) => void }) {
  const { t } = useTranslation();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        hidden
        data-testid="folder"
        aria-label={t('training.folder')}
        {...{ webkitdirectory: '' }}
        onChange={({ currentTarget }) => {
          bring([...(currentTarget.files ?? [])]);
          currentTarget.value = '';
        }}
      />
      <Button
        size="md"
        variant="default"
        leftSection={<IconFolderOpen size="1.2rem" aria-hidden />}
        onClick={() => input.current?.click()}
      >
        {t('training.folder')}
      </Button>
    </>
  );
}
