/** Asks for the access key when the server wants one. */
import { Button, Group, Modal, PasswordInput, Stack, Text } from '@mantine/core';
import { type FormEvent, useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { keys } from '../api/key';

export default function KeyDialog() {
  const { t } = useTranslation();
  const wanted = useSyncExternalStore(keys.subscribe, keys.wanted);
  const refused = useSyncExternalStore(keys.subscribe, keys.current) !== null;
  const [text, setText] = useState('');

  function give(event: FormEvent) {
    event.preventDefault();
    if (text.trim()) keys.give(text);
    setText('');
  }

  // lockScroll would write a <style> element, which the Content-Security-Policy forbids
  return (
    <Modal
      opened={wanted}
      onClose={keys.decline}
      title={t('key.title')}
      lockScroll={false}
      withCloseButton={false}
    >
      <form onSubmit={give}>
        <Stack>
          <Text>{t(refused ? 'key.refused' : 'key.why')}</Text>
          <PasswordInput
            label={t('key.label')}
            description={t('key.kept')}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            autoComplete="off"
            visibilityToggleButtonProps={{ 'aria-label': t('key.show') }}
            data-autofocus
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={keys.decline}>
              {t('key.later')}
            </Button>
            <Button type="submit" disabled={!text.trim()}>
              {t('key.give')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
