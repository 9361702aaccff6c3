/** The chosen cell: beside the grid where there is room, else over it. */
import { Modal, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import styles from './CellPanel.module.css';
import { CellView } from './CellView';
import type { Cell } from './cell';

interface Props {
  cell: Cell | null;
  wide: boolean;
  open: boolean;
  onClose: () => void;
}

export function CellPanel({ cell, wide, open, onClose }: Props) {
  const { t } = useTranslation();
  if (!wide) {
    return (
      <Modal
        opened={open && cell !== null}
        onClose={onClose}
        title={t('panel.title')}
        fullScreen
        lockScroll={false}
        closeButtonProps={{ 'aria-label': t('panel.close') }}
      >
        {cell ? <CellView key={cell.id} cell={cell} narrow /> : null}
      </Modal>
    );
  }
  return (
    <aside className={styles.panel} aria-label={t('panel.title')} data-testid="panel">
      {cell ? (
        <CellView key={cell.id} cell={cell} narrow />
      ) : (
        <Text c="var(--muted)">{t('panel.empty')}</Text>
      )}
    </aside>
  );
}
