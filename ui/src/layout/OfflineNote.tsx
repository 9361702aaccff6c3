/** Says when there is no line, and that nothing is lost by it. */
import { Text } from '@mantine/core';
import { IconWifiOff } from '@tabler/icons-react';
import { useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import styles from './Shell.module.css';

function subscribe(listener: () => void): () => void {
  window.addEventListener('online', listener);
  window.addEventListener('offline', listener);
  return () => {
    window.removeEventListener('online', listener);
    window.removeEventListener('offline', listener);
  };
}

export function OfflineNote() {
  const { t } = useTranslation();
  const online = useSyncExternalStore(subscribe, () => navigator.onLine);
  return (
    <div aria-live="polite">
      {online ? null : (
        <div className={styles.offline}>
          <IconWifiOff size="1.2rem" aria-hidden />
          <Text size="sm">{t('app.offline')}</Text>
        </div>
      )}
    </div>
  );
}
