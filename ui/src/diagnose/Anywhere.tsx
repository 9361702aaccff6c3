/** A drop is taken anywhere on the screen, and asked about where it would put other work away. */
import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { Dropzone } from '@mantine/dropzone';
import { IconPhotoPlus } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import styles from './Bring.module.css';
import type { Intake } from './useIntake';

interface Props {
  intake: Intake;
  replacing: File[] | null;
  onAnswered: () => void;
}

export function Anywhere({ intake, replacing, onAnswered }: Props) {
  const { t } = useTranslation();
  return (
    <>
      <Dropzone.FullScreen
        active
        onDrop={intake.bring}
        useFsAccessApi={false}
        role="presentation"
        tabIndex={-1}
      >
        <div className={styles.full}>
          <IconPhotoPlus size="4rem" aria-hidden />
          <Text size="xl" fw={600}>
            {t('bring.let')}
          </Text>
        </div>
      </Dropzone.FullScreen>
      <Modal
        opened={replacing !== null}
        onClose={onAnswered}
        title={t('replace.title')}
        lockScroll={false}
        withCloseButton={false}
      >
        <Stack>
          <Text>{t('replace.what')}</Text>
          <Group justify="flex-end">
            <Button variant="default" onClick={onAnswered} data-autofocus>
              {t('replace.keep')}
            </Button>
            <Button
              color="red"
              onClick={() => {
                onAnswered();
                intake.replace(replacing ?? []);
              }}
            >
              {t('replace.yes')}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
