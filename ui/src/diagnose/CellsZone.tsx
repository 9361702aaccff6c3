/** Where cells are dropped that have no labels. */
import { IconPhotoPlus } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { DropZone } from '../parts/DropZone';

interface Props {
  onBring: (files: readonly File[]) => void;
  busy: boolean;
  /** More buttons. */
  children?: ReactNode;
}

export function CellsZone({ onBring, busy, children }: Props) {
  const { t } = useTranslation();
  const words = {
    drop: t('bring.drop'),
    files: t('bring.files'),
    folder: t('bring.folder'),
    kinds: t('bring.kinds'),
  };
  return (
    <DropZone onBring={onBring} busy={busy} words={words} Icon={IconPhotoPlus}>
      {children}
    </DropZone>
  );
}
