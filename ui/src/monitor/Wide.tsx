/** A table that may be wider than the screen: it scrolls by itself, with the keyboard too. */
import type { ReactNode } from 'react';
import styles from './Monitor.module.css';

export function Wide({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section className={styles.wide} aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
