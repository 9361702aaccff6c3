/** On Diagnose, once somebody has judged: whether that is kept, and where. */
import { Anchor, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { usePreferences } from '../parts/preferences';

export function CollectHint() {
  const { t } = useTranslation();
  const { collect } = usePreferences();
  return (
    <Text size="sm" c="var(--muted)" role="status">
      {t(collect ? 'review.hint.on' : 'review.hint.off')}{' '}
      <Anchor component={Link} href="/review" size="sm" underline="always">
        {t(collect ? 'review.hint.look' : 'review.hint.keep')}
      </Anchor>
    </Text>
  );
}
