/** What was served since when, and who changed it why: the log, which nobody can rewrite. */
import { Anchor, Button, Text, Timeline } from '@mantine/core';
import {
  IconArrowBackUp,
  IconCircleCheck,
  IconHandFinger,
  IconPackage,
  type TablerIcon,
} from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { PromotionEntry } from '../api/types';
import { useFigures } from '../parts/figures';

const ICONS: Record<string, TablerIcon> = {
  accepted: IconCircleCheck,
  manual: IconHandFinger,
  rollback: IconArrowBackUp,
  shipped: IconPackage,
};
const FIRST = 8;

export function History({ promotions }: { promotions: readonly PromotionEntry[] }) {
  const { t } = useTranslation();
  const [all, setAll] = useState(false);
  const shown = all ? promotions : promotions.slice(0, FIRST);
  return (
    <>
      <Timeline active={0} bulletSize={28} lineWidth={2} color="teal" data-testid="history">
        {shown.map((entry) => (
          <Entry key={entry.number} entry={entry} />
        ))}
      </Timeline>
      {promotions.length > shown.length ? (
        <Button variant="default" mt="md" onClick={() => setAll(true)}>
          {t('versions.history.all', { count: promotions.length })}
        </Button>
      ) : null}
    </>
  );
}

function Entry({ entry }: { entry: PromotionEntry }) {
  const { t, i18n } = useTranslation();
  const figures = useFigures();
  const Icon = ICONS[entry.verdict] ?? IconCircleCheck;
  const key = `versions.verdicts.${entry.verdict}`;
  return (
    <Timeline.Item
      bullet={<Icon size="1.05rem" aria-hidden />}
      title={
        <>
          {i18n.exists(key) ? t(key as 'versions.verdicts.manual') : entry.verdict}
          {t('app.colon')}
          <Anchor component={Link} href={`/versions?version=${entry.version}`} inherit underline="always">
            {entry.version}
          </Anchor>
        </>
      }
    >
      <Text size="sm" c="var(--muted)">
        {t('versions.history.entry', {
          number: entry.number,
          when: figures.moment(entry.at),
          who: entry.actor,
        })}
      </Text>
      <Text size="sm" lang="en">
        {entry.reason}
      </Text>
    </Timeline.Item>
  );
}
