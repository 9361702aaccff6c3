/** Nothing is here yet: the ways to bring cells. */
import { Button, Group, Loader, Stack, Text, Title } from '@mantine/core';
import { IconClipboard } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { FailureNote } from '../layout/FailureNote';
import styles from './Bring.module.css';
import { CellsZone } from './CellsZone';
import { readClipboard } from './clipboard';
import type { Intake } from './useIntake';

const SAMPLES = [1, 48] as const;

export function Bring({ intake }: { intake: Intake }) {
  const { t } = useTranslation();
  return (
    <Stack gap="xl" className={styles.bring}>
      <div>
        <Title order={2}>{t('bring.title')}</Title>
        <Text size="lg" c="var(--muted)" maw="46rem">
          {t('bring.what')}
        </Text>
      </div>
      <CellsZone onBring={intake.bring} busy={intake.busy}>
        <PasteButton intake={intake} />
      </CellsZone>
      {intake.error ? <FailureNote error={intake.error} /> : null}
      <div className={styles.sample}>
        <Text>{t('bring.none')}</Text>
        <Group gap="xs">
          {SAMPLES.map((count) => (
            <Button key={count} variant="default" disabled={intake.busy} onClick={() => intake.sample(count)}>
              {t('bring.sample', { count })}
            </Button>
          ))}
          {intake.busy ? <Loader size="sm" role="progressbar" aria-label={t('bring.busy')} /> : null}
        </Group>
      </div>
      <Text size="sm" c="var(--muted)" maw="46rem">
        {t('bring.privacy')}
      </Text>
    </Stack>
  );
}

function PasteButton({ intake }: { intake: Intake }) {
  const { t } = useTranslation();
  return (
    <Button
      size="md"
      variant="default"
      leftSection={<IconClipboard size="1.2rem" aria-hidden />}
      onClick={() => void readClipboard(t).then(intake.bring)}
    >
      {t('bring.paste')}
    </Button>
  );
}
