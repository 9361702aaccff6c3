/** On Diagnose, once somebody has judged: whether that is kept, and where. */
import { Anchor, Text } from '@mantine/core';
import { useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { usePreferences } from '../parts/preferences';
import { unkept } from './unkept';

export function CollectHint() {
  const { t } = useTranslation();
  const { collect } = usePreferences();
  const failing = useSyncExternalStore(unkept.subscribe, unkept.current);
  const on = failing ? 'review.unkept.title' : 'review.hint.on';
  return (
    <Text size="sm" c="var(--muted)" role="status">
      {t(collect ? on : 'review.hint.off')}{' '}
      <Anchor component={Link} href="/review" size="sm" underline="always">
        {t(collect ? 'review.hint.look' : 'review.hint.keep')}
      </Anchor>
    </Text>
  );
}
