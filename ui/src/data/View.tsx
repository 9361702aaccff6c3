/** One view of the data: what it shows, and what it says. */
import type { ReactNode } from 'react';
import styles from './Data.module.css';

interface Props {
  title: string;
  note?: string;
  wide?: boolean;
  children: ReactNode;
}

export function View({ title, note, wide = false, children }: Props) {
  return (
    <section className={styles.view} data-wide={wide || undefined} aria-label={title}>
      <h3 className={styles.heading}>{title}</h3>
      {note ? <p className={styles.note}>{note}</p> : null}
      {children}
    </section>
  );
}
