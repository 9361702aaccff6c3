/** The chosen cell: beside the grid where there is room, else over it. */
import { Modal, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import styles from './CellPanel.module.css';

interface Props {
  title: string;
  /** Said where no cell is chosen. */
  empty: string;
  wide: boolean;
  open: boolean;
  onClose: () => void;
  /** The chosen cell; null: none. */
  children: ReactNode | null;
}

export function CellPanel({ title, empty, wide, open, onClose, children }: Props) {
  const { t } = useTranslation();
  if (!wide) {
    return (
      <Modal
        opened={open && children !== null}
        onClose={onClose}
        title={title}
        fullScreen
        lockScroll={false}
        closeButtonProps={{ 'aria-label': t('panel.close') }}
      >
        {children}
      </Modal>
    );
  }
  return (
    <aside className={styles.panel} aria-label={title} data-testid="panel">
      {children ?? <Text c="var(--muted)">{empty}</Text>}
    </aside>
  );
}
