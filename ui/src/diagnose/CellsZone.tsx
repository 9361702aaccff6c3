/** Where cells are dropped, and the buttons that choose files or a folder in place of a drop. */
import { Button, Group, Stack, Text } from '@mantine/core';
import { Dropzone } from '@mantine/dropzone';
import { IconFolderOpen, IconPhotoPlus } from '@tabler/icons-react';
import { type ReactNode, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import styles from './Bring.module.css';

const TEST_ID = { 'data-testid': 'files' };

interface Props {
  onBring: (files: readonly File[]) => void;
  busy: boolean;
  /** More buttons. */
  children?: ReactNode;
}

export function CellsZone({ onBring, busy, children }: Props) {
  const { t } = useTranslation();
  const open = useRef<() => void>(null);
  return (
    <Dropzone
      onDrop={onBring}
      openRef={open}
      loading={busy}
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
          <FolderButton onBring={onBring} />
          {children}
        </Group>
        <Text size="sm" c="var(--muted)" ta="center">
          {t('bring.kinds')}
        </Text>
      </Stack>
    </Dropzone>
  );
}

function FolderButton({ onBring }: Pick<Props, 'onBring'>) {
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
          onBring([...(currentTarget.files ?? [])]);
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
