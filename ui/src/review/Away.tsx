/** What can be done with the labels: taken away as a ZIP, or sent to retraining. */
import { Alert, Anchor, Button, Group, Text } from '@mantine/core';
import { IconCircleCheck, IconDownload, IconRefreshDot } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { sendForAdapting } from '../api/training';
import { FailureNote } from '../layout/FailureNote';
import { save } from '../parts/csv';
import { pack } from '../parts/labelledZip';
import { Needs } from '../parts/Needs';
import { usePreferences } from '../parts/preferences';
import type { Label } from './label';

type State =
  | { at: 'rest' | 'packing' | 'sending' }
  | { at: 'sent'; job: string }
  | { at: 'failed'; why: unknown };

export function Away({ labels }: { labels: readonly Label[] }) {
  const { t } = useTranslation();
  const { by } = usePreferences();
  const [state, setState] = useState<State>({ at: 'rest' });
  const counts = {
    parasitized: labels.filter(({ label }) => label === 'parasitized').length,
    uninfected: labels.filter(({ label }) => label === 'uninfected').length,
  };
  const busy = state.at === 'packing' || state.at === 'sending';
  const name = `labelled-cells-${new Date().toISOString().slice(0, 10)}.zip`;

  async function during(at: 'packing' | 'sending', work: (zip: Blob) => Promise<string | null>) {
    setState({ at });
    try {
      const job = await work(await pack(labels, t('app.notice')));
      setState(job === null ? { at: 'rest' } : { at: 'sent', job });
    } catch (why) {
      setState({ at: 'failed', why });
    }
  }

  const download = () =>
    during('packing', async (data) => {
      save(name, 'application/zip', data);
      return null;
    });
  const send = () =>
    during('sending', (data) =>
      sendForAdapting({ name, zip: data, note: t('review.away.note', { by: by || '?' }) }),
    );

  return (
    <>
      <Needs counts={counts} />
      <Group>
        <Button
          variant="default"
          leftSection={<IconDownload size="1.1rem" aria-hidden />}
          disabled={busy}
          loading={state.at === 'packing'}
          onClick={() => void download()}
        >
          {t('review.away.download')}
        </Button>
        <Button
          leftSection={<IconRefreshDot size="1.1rem" aria-hidden />}
          disabled={busy || counts.parasitized === 0 || counts.uninfected === 0}
          loading={state.at === 'sending'}
          onClick={() => void send()}
        >
          {t('review.away.send', { count: labels.length })}
        </Button>
      </Group>
      <Text size="sm" c="var(--muted)">
        {t('review.away.what')}
      </Text>
      {state.at === 'failed' ? <FailureNote error={state.why} /> : null}
      {state.at === 'sent' ? (
        <Alert
          color="teal"
          variant="outline"
          icon={<IconCircleCheck aria-hidden />}
          title={t('review.away.sent')}
          role="status"
        >
          {t('review.away.stays')}{' '}
          <Anchor component={Link} href={`/training?job=${state.job}`} underline="always">
            {t('review.away.follow')}
          </Anchor>
        </Alert>
      ) : null}
    </>
  );
}
