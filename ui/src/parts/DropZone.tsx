/** Where files are dropped, and the buttons that choose files or a folder in place of a drop. */
import { Button, Group, Stack, Text } from '@mantine/core';
import { Dropzone } from '@mantine/dropzone';
import { IconFolderOpen, type TablerIcon } from '@tabler/icons-react';
import { type ReactNode, useRef } from 'react';
import styles from './DropZone.module.css';

const TEST_ID = { 'data-testid': 'files' };

export interface Words {
  /** What may be dropped. */
  drop: string;
  files: string;
  folder: string;
  /** What kinds are read. */
  kinds?: string;
}

interface Props {
  onBring: (files: readonly File[]) => void;
  words: Words;
  Icon: TablerIcon;
  busy?: boolean;
  /** More buttons. */
  children?: ReactNode;
}

export function DropZone({ onBring, words, Icon, busy = false, children }: Props) {
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
      inputProps={{ 'aria-label': words.files, tabIndex: -1, ...TEST_ID }}
    >
      <Stack align="center" gap="lg">
        <Icon size="3.6rem" stroke={1.4} aria-hidden className={styles.icon} />
        <Text size="xl" fw={600} ta="center">
          {words.drop}
        </Text>
        <Group justify="center">
          <Button size="md" leftSection={<Icon size="1.2rem" aria-hidden />} onClick={() => open.current?.()}>
            {words.files}
          </Button>
          <FolderButton onBring={onBring} text={words.folder} />
          {children}
        </Group>
        {words.kinds ? (
          <Text size="sm" c="var(--muted)" ta="center">
            {words.kinds}
          </Text>
        ) : null}
      </Stack>
    </Dropzone>
  );
}

function FolderButton({ onBring, text }: Pick<Props, 'onBring'> & { text: string }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        hidden
        data-testid="folder"
        aria-label={text}
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
        {text}
      </Button>
    </>
  );
}
