/** What is shown where the page itself fails: what to do, and never a blank sheet. */
import { Alert, Button, Stack, Text } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { Translation } from 'react-i18next';

export class Mishap extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <Translation>
        {(t) => (
          <Alert color="red" title={t('mishap.title')} m="lg" role="alert">
            <Stack align="flex-start" gap="sm">
              <Text>{t('mishap.todo')}</Text>
              <Text size="sm" ff="monospace" lang="en">
                {error.message}
              </Text>
              <Button onClick={() => location.reload()}>{t('mishap.reload')}</Button>
            </Stack>
          </Alert>
        )}
      </Translation>
    );
  }
}
