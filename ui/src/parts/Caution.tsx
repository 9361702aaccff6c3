/** Something to know before going on; not an error. */
import { IconAlertTriangle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import styles from './Caution.module.css';

export function Caution({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className={styles.caution} role="note">
      <IconAlertTriangle size="1.3rem" aria-hidden />
      <p>
        <strong>{title}</strong> {children}
      </p>
    </div>
  );
}
