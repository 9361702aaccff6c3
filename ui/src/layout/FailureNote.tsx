/** A failure as a person needs it: what happened, in the server's own words where it has some, and what to do. */
import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../api/failure';
import { Words } from '../parts/Words';
import { HOPELESS, kindOf, useFailureText } from './useFailureText';

interface Props {
  error: unknown;
  onRetry?: (() => void) | undefined;
}

export function FailureNote({ error, onRetry }: Props) {
  const { t } = useTranslation();
  const { title, todo } = useFailureText(error);
  const kind = kindOf(error);
  const problem = error instanceof Failure ? error.problem : null;
  return (
    <Alert
      color="red"
      variant="outline"
      role="alert"
      title={title}
      icon={<IconAlertTriangle aria-hidden />}
      bg="var(--surface)"
    >
      <Stack gap="xs" align="flex-start">
        {problem?.detail && kind !== 'key' ? (
          <Text>
            <Words at="reason" code={problem.code} own={problem.detail} />
          </Text>
        ) : null}
        <Text fw={550}>{todo}</Text>
        <Group>
          {onRetry && !HOPELESS.includes(kind) ? (
            <Button variant="default" onClick={onRetry}>
              {t('failure.retry')}
            </Button>
          ) : null}
          {problem?.request_id ? (
            <Text size="xs" c="var(--muted)">
              {t('failure.id', { id: problem.request_id })}
            </Text>
          ) : null}
        </Group>
      </Stack>
    </Alert>
  );
}
