import { IconPhotoOff } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../parts/format';
import type { Cell, Decision } from './cell';
import { MARKS, saidOf } from './marks';
import { useAddress } from './Picture';
import styles from './Thumbnail.module.css';

const LETTER: Record<Decision, string> = { parasitized: 'P', uninfected: 'U', excluded: 'X' };

interface Props {
  cell: Cell;
  chosen: boolean;
  /** The one that Tab leads to; arrows lead on from there. */
  reachable: boolean;
  onFocus: () => void;
  onOpen: () => void;
}

export function Thumbnail({ cell, chosen, reachable, onFocus, onOpen }: Props) {
  const { address, failed, fail } = useAddress(cell);
  const { Icon, ink } = MARKS[cell.decision ?? saidOf(cell)];
  const review = cell.answer?.needsReview && !cell.decision;
  return (
    <button
      type="button"
      id={`cell-${cell.id}`}
      className={styles.cell}
      data-chosen={chosen || undefined}
      aria-label={useLabel(cell)}
      aria-current={chosen || undefined}
      tabIndex={reachable ? 0 : -1}
      onFocus={onFocus}
      onClick={onOpen}
    >
      {address && !failed ? (
        <img src={address} alt="" decoding="async" draggable={false} onError={fail} />
      ) : null}
      {failed ? <IconPhotoOff className={styles.unseen} aria-hidden /> : null}
      <span className={styles.badge} style={{ color: ink }}>
        <Icon size="1.1rem" stroke={2.2} aria-hidden />
        {cell.decision ? <b>{LETTER[cell.decision]}</b> : null}
      </span>
      {review ? (
        <span className={styles.review}>
          <MARKS.review.Icon size="1rem" stroke={2.2} aria-hidden />
        </span>
      ) : null}
    </button>
  );
}

function useLabel(cell: Cell): string {
  const { t } = useTranslation();
  const format = useFormat();
  const probability = cell.answer?.probability ?? null;
  const parts = [
    cell.name,
    t(`verdict.${saidOf(cell)}`),
    probability === null ? '' : format.probability(probability),
    cell.answer?.needsReview ? t('verdict.look') : '',
    cell.decision ? t('decide.said', { what: t(`decide.${cell.decision}`) }) : '',
  ];
  return parts.filter(Boolean).join(', ');
}
