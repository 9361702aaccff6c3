/** Asks before a job is cancelled: its work is lost. */
import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { cancelJob } from '../api/training';
import type { Task } from '../api/types';
import { FailureNote } from '../layout/FailureNote';

interface Props {
  job: Task;
  opened: boolean;
  onClose: () => void;
  onDone: () => void;
}

export function CancelDialog({ job, opened, onClose, onDone }: Props) {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  async function cancel() {
    setBusy(true);
    setError(null);
    try {
      await cancelJob(job.task_id);
      onClose();
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
      onDone();
    }
  }

  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={t('training.cancel.title')}
      lockScroll={false}
      withCloseButton={false}
    >
      <Stack>
        <Text>{t('training.cancel.what', { name: job.name })}</Text>
        {error ? <FailureNote error={error} /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            {t('training.cancel.keep')}
          </Button>
          <Button color="red" loading={busy} onClick={() => void cancel()}>
            {t('training.cancel.yes')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
