/** A cell's picture, with the activation map laid over it. */
import { IconPhotoOff } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Explanation } from '../api/types';
import type { Cell } from './cell';
import styles from './Picture.module.css';
import { addressOf } from './pictures';

interface Props {
  cell: Cell;
  map: Explanation | null;
  /** 0 to 1. */
  opacity: number;
}

export function Picture({ cell, map, opacity }: Props) {
  const { t } = useTranslation();
  const { address, failed, fail } = useAddress(cell);
  const [shape, setShape] = useState<string | null>(null);
  const own = cell.answer?.width ? `${cell.answer.width} / ${cell.answer.height}` : shape;
  return (
    <div className={styles.slide}>
      <div className={styles.frame} style={{ aspectRatio: own ?? '1' }}>
        {address && !failed ? (
          <img
            className={styles.picture}
            src={address}
            alt={t('picture.alt', { name: cell.name })}
            onError={fail}
            onLoad={({ currentTarget: img }) => setShape(`${img.naturalWidth} / ${img.naturalHeight}`)}
          />
        ) : null}
        {failed ? (
          <div className={styles.unseen}>
            <IconPhotoOff size="2.5rem" aria-hidden />
            {cell.answer ? t('picture.unseen') : null}
          </div>
        ) : null}
        {map ? <img className={styles.map} src={map.overlay} alt={t('map.alt')} style={{ opacity }} /> : null}
      </div>
    </div>
  );
}

/** Where the browser finds the picture; some kinds, such as TIFF, it cannot show. */
export function useAddress(cell: Cell): { address: string | null; failed: boolean; fail: () => void } {
  const [found, setFound] = useState<{ cell: Cell; address: string | null; failed: boolean } | null>(null);
  useEffect(() => {
    let current = true;
    addressOf(cell).then(
      (address) => current && setFound({ cell, address, failed: false }),
      () => current && setFound({ cell, address: null, failed: true }),
    );
    return () => {
      current = false;
    };
  }, [cell]);
  const own = found?.cell === cell ? found : null;
  const fail = () => setFound({ cell, address: null, failed: true });
  return { address: own?.address ?? null, failed: own?.failed ?? false, fail };
}
