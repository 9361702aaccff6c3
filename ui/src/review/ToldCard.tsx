/** What leaves the browser: confirmed labels as feedback, who says them, and how far that has come. */
import { Button, Group, Loader, Switch, Text, TextInput } from '@mantine/core';
import { IconSend } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import panels from '../diagnose/Panels.module.css';
import { FailureNote } from '../layout/FailureNote';
import { useFormat } from '../parts/format';
import { preferences, usePreferences } from '../parts/preferences';
import { type Label, waits } from './label';
import { mayTell, outbox } from './outbox';
import styles from './Review.module.css';
import { useOutbox } from './useCollection';

export function ToldCard({ labels }: { labels: readonly Label[] }) {
  const { t } = useTranslation();
  const { feedback, by, site } = usePreferences();
  return (
    <section className={`${panels.panel} ${styles.card}`} aria-labelledby="told">
      <h3 id="told" className={styles.heading}>
        {t('review.told.title')}
      </h3>
      <Switch
        label={t('review.told.feedback')}
        description={t('review.told.feedbackWhat')}
        checked={feedback}
        onChange={({ currentTarget }) => {
          preferences.change({ feedback: currentTarget.checked });
          outbox.soon();
        }}
      />
      <div className={styles.fields}>
        <TextInput
          label={t('review.told.by')}
          maxLength={200}
          value={by}
          error={feedback && !by.trim() && labels.some(waits) ? t('review.told.byWanted') : null}
          onChange={({ currentTarget }) => {
            preferences.change({ by: currentTarget.value });
            outbox.soon();
          }}
        />
        <TextInput
          label={t('review.told.site')}
          maxLength={100}
          value={site}
          onChange={({ currentTarget }) => preferences.change({ site: currentTarget.value })}
        />
      </div>
      {labels.length > 0 ? <HowFar labels={labels} /> : null}
    </section>
  );
}

function HowFar({ labels }: { labels: readonly Label[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { sending, failure } = useOutbox();
  const waiting = labels.filter(waits).length;
  const sent = labels.filter(({ told }) => told.state === 'sent').length;
  const refused = labels.filter(({ told }) => told.state === 'refused').length;
  return (
    <>
      <div role="status" data-testid="told">
        <Text>
          {[
            t('review.told.sent', { count: sent, cells: format.count(sent) }),
            t('review.told.waiting', { count: waiting, cells: format.count(waiting) }),
            ...(refused > 0
              ? [t('review.told.refused', { count: refused, cells: format.count(refused) })]
              : []),
          ].join(' · ')}
        </Text>
      </div>
      {failure && waiting > 0 ? (
        <>
          <FailureNote error={failure} />
          <Text size="sm">{t('review.told.again')}</Text>
        </>
      ) : null}
      <Group className={styles.push}>
        <Button
          variant="default"
          leftSection={<IconSend size="1.1rem" aria-hidden />}
          disabled={waiting === 0 || sending || !mayTell()}
          onClick={outbox.now}
        >
          {t('review.told.now')}
        </Button>
        {sending ? <Loader size="sm" role="progressbar" aria-label={t('review.told.sending')} /> : null}
      </Group>
    </>
  );
}
