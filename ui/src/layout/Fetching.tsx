/** Shown while a part of the page is fetched; where it cannot be, what to do. It is asked for again by itself. */
import { Alert, Button, Group, Loader, Stack, Text } from '@mantine/core';
import { useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { fetching } from '../parts/lasting';

export function Fetching() {
  const { t } = useTranslation();
  const waits = useSyncExternalStore(fetching.subscribe, fetching.waits);
  if (!waits) return <Loader m="xl" />;
  return (
    <Alert
      color="red"
      variant="outline"
      title={t('mishap.unfetched')}
      m="lg"
      role="alert"
      bg="var(--surface)"
    >
      <Stack align="flex-start" gap="sm">
        <Text>{t('mishap.again')}</Text>
        <Group>
          <Button onClick={fetching.again}>{t('failure.retry')}</Button>
          <Button variant="default" onClick={() => location.reload()}>
            {t('mishap.reload')}
          </Button>
        </Group>
      </Stack>
    </Alert>
  );
}
