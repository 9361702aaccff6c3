/** Said before anything is sent: how many labelled cells there are, and how many it takes. */
import { Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Status, UploadNeeds } from '../api/types';
import { useAnswer } from '../api/useAnswer';
import { useFormat } from './format';
import type { Class } from './labelledZip';

export function useNeeds(): UploadNeeds | null {
  return useAnswer<Status>('/status').data?.needs ?? null;
}

/** Cells of each class to label so that, with the share that is kept apart, enough are left to learn from. */
export const toLearn = (needs: UploadNeeds): number =>
  Math.ceil(needs.learnt_each / (1 - needs.judged_share));
/** Cells to label in all, and of each class, so that enough are kept apart to decide on. */
export const toDecide = (needs: UploadNeeds): { cells: number; each: number } => ({
  cells: Math.ceil(needs.judged_cells / needs.judged_share),
  each: Math.ceil(needs.judged_each / needs.judged_share),
});

interface Props {
  counts: Record<Class, number>;
  /** What there is, and not what it takes. */
  brief?: boolean;
}

export function Needs({ counts, brief = false }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const needs = useNeeds();
  const decide = needs ? toDecide(needs) : null;
  return (
    <Text data-testid="needs">
      {t('review.needs.have', {
        parasitized: format.count(counts.parasitized),
        uninfected: format.count(counts.uninfected),
      })}{' '}
      {needs && decide && !brief
        ? t('review.needs.wanted', {
            share: format.percent(needs.judged_share),
            learn: toLearn(needs),
            cells: decide.cells,
            each: decide.each,
            groups: needs.judged_groups,
          })
        : null}
    </Text>
  );
}
