/** How far the upload is, and what is wrong where it stands still. */
import { Button, Group, Progress, Stack, Text } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { TooLarge } from '../api/training';
import panels from '../diagnose/Panels.module.css';
import { FailureNote } from '../layout/FailureNote';
import { useFormat } from '../parts/format';
import { desk, type Sending } from './desk';

export function SendLine({ at, onRetry }: { at: Sending; onRetry: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (at.step === 'failed') return <Failed error={at.error} onRetry={onRetry} />;
  if (at.step === 'done')
    return (
      <div className={panels.panel} role="status">
        <Group justify="space-between">
          <Text>{t('training.send.arrived')}</Text>
          <Button variant="default" onClick={desk.clear}>
            {t('training.send.fine')}
          </Button>
        </Group>
      </div>
    );
  return (
    <section className={panels.panel} aria-label={t('training.send.label')} data-testid="sending">
      <Stack gap="xs">
        <Group justify="space-between">
          <Text fw={600} role="status">
            {t(`training.send.${at.step}`)} {at.step === 'waiting' ? null : format.percent(at.share)}
          </Text>
          <Button variant="default" leftSection={<IconX size="1.1rem" aria-hidden />} onClick={desk.back}>
            {t('training.send.cancel')}
          </Button>
        </Group>
        <Progress
          value={100 * at.share}
          size="lg"
          animated={at.step === 'waiting'}
          aria-label={t('training.send.label')}
        />
      </Stack>
    </section>
  );
}

function Failed({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Stack gap="sm">
      <Text>{t('training.send.kept')}</Text>
      {error instanceof TooLarge ? (
        <Text role="alert" fw={600}>
          {t('training.send.tooLarge', { most: format.bytes(error.most) })}
        </Text>
      ) : (
        <FailureNote error={error} onRetry={onRetry} />
      )}
      <Group>
        <Button variant="default" onClick={desk.back}>
          {t('training.send.change')}
        </Button>
      </Group>
    </Stack>
  );
}
