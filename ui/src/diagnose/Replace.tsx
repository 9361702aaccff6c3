/** Asks before cells that were judged, or are still asked about, are put away for others. */
import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

interface Props {
  opened: boolean;
  onKeep: () => void;
  onReplace: () => void;
}

export default function Replace({ opened, onKeep, onReplace }: Props) {
  const { t } = useTranslation();
  return (
    <Modal
      opened={opened}
      onClose={onKeep}
      title={t('replace.title')}
      lockScroll={false}
      withCloseButton={false}
    >
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
