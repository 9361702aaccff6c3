/** A drop is taken anywhere on the screen, and asked about where it would put other work away. */
import { Text } from '@mantine/core';
import { Dropzone } from '@mantine/dropzone';
import { IconPhotoPlus } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import styles from './Bring.module.css';
import type { Intake } from './useIntake';

/** Needed where there are cells already, so not at the start. */
export const loadReplace = () => import('./Replace');
const Replace = lazy(loadReplace);

interface Props {
  intake: Intake;
  replacing: File[] | null;
  onAnswered: () => void;
}

export function Anywhere({ intake, replacing, onAnswered }: Props) {
  const { t } = useTranslation();
  const [asked, ask] = useState(false);
  if (replacing && !asked) ask(true);
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
      {asked ? (
        <Suspense>
          <Replace
            opened={replacing !== null}
            onKeep={onAnswered}
            onReplace={() => {
              onAnswered();
              intake.replace(replacing ?? []);
            }}
          />
        </Suspense>
      ) : null}
    </>
  );
}
