/** Asks before other cells would put work away. */
import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

interface Props {
  onKeep: () => void;
  onReplace: () => void;
}

export default function ReplaceDialog({ onKeep, onReplace }: Props) {
  const { t } = useTranslation();
  return (
    <Modal opened onClose={onKeep} title={t('replace.title')} lockScroll={false} withCloseButton={false}>
      <Stack>
        <Text>{t('replace.what')}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={onKeep} data-autofocus>
            {t('replace.keep')}
          </Button>
          <Button color="red" onClick={onReplace}>
            {t('replace.yes')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
