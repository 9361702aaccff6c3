/** Cells are brought, and the server is asked about them. */
import { Alert, Loader, Stack, Text } from '@mantine/core';
import { IconPhotoOff } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CellsZone } from '../diagnose/CellsZone';
import { ProgressLine } from '../diagnose/ProgressLine';
import { FailureNote } from '../layout/FailureNote';
import { lotOf, toDecide, toLearn } from '../parts/enough';
import { useFormat } from '../parts/format';
import { useNeeds } from '../parts/Needs';
import { journey, MOST } from './journey';

export function BringStep() {
  const { t } = useTranslation();
  const needs = useNeeds();
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<{ why: unknown } | null>(null);

  async function bring(files: readonly File[]) {
    if (files.length === 0) return;
    setBusy(true);
    setTrouble(null);
    try {
      if (!(await journey.bring(files))) setTrouble({ why: null });
    } catch (why) {
      setTrouble({ why });
    } finally {
      setBusy(false);
    }
  }

  return (
    <Stack gap="lg">
      <Text size="lg" maw="50rem">
        {t('setup.bring.what', { lot: lotOf(needs) })}
      </Text>
      <CellsZone onBring={(files) => void bring(files)} busy={busy} />
      {trouble?.why ? <FailureNote error={trouble.why} /> : null}
      {trouble && !trouble.why ? (
        <Alert
          color="red"
          variant="outline"
          role="alert"
          icon={<IconPhotoOff aria-hidden />}
          title={t('intake.none')}
        />
      ) : null}
      {needs ? (
        <Text data-testid="wanted">
          {t('setup.bring.wanted', {
            learn: toLearn(needs),
            lot: lotOf(needs),
            ...toDecide(needs),
          })}
        </Text>
      ) : null}
    </Stack>
  );
}

export function AskingStep({ choosing }: { choosing: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { brought } = journey.journey;
  const { run } = journey;
  const none = !choosing && run?.ended;
  return (
    <Stack gap="lg">
      {brought > MOST ? (
        <Text>{t('setup.bring.some', { all: format.count(brought), some: format.count(MOST) })}</Text>
      ) : null}
      {run ? <ProgressLine run={run} /> : null}
      {choosing ? (
        <Text role="status">
          <Loader size="sm" mr="sm" aria-hidden />
          {t('setup.bring.choosing')}
        </Text>
      ) : null}
      {none ? (
        <Alert
          color="red"
          variant="outline"
          role="alert"
          icon={<IconPhotoOff aria-hidden />}
          title={t('setup.bring.noneTitle')}
        >
          {t('setup.bring.none')}
        </Alert>
      ) : null}
    </Stack>
  );
}
