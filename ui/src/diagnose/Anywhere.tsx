/** A drop is taken anywhere on the screen, and asked about where it would put other work away. */
import { Text } from '@mantine/core';
import { Dropzone } from '@mantine/dropzone';
import { IconPhotoPlus } from '@tabler/icons-react';
import { Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { lasting } from '../parts/lasting';
import styles from './Bring.module.css';
import type { Intake } from './useIntake';

export const loadDialog = () => import('./ReplaceDialog');
const ReplaceDialog = lasting('ReplaceDialog', loadDialog);

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
      {replacing !== null ? (
        <Suspense>
          <ReplaceDialog
            onKeep={onAnswered}
            onReplace={() => {
              onAnswered();
              intake.replace(replacing);
            }}
          />
        </Suspense>
      ) : null}
    </>
  );
}
