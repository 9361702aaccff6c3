/** Said before anything is sent: how many labelled cells there are, and how many it takes. */
import { Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Status, UploadNeeds } from '../api/types';
import { useAnswer } from '../api/useAnswer';
import { toDecide, toLearn } from './enough';
import { useFormat } from './format';
import type { Class } from './labelledZip';

export function useNeeds(): UploadNeeds | null {
  return useAnswer<Status>('/status').data?.needs ?? null;
}

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
            ...decide,
          })
        : null}
    </Text>
  );
}
