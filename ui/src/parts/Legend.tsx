/** What lines and bars mean. Lines differ in dash and bars in hatching, so colour tells nothing alone. */
import styles from './Legend.module.css';

export interface Mark {
  name: string;
  label: string;
  color: string;
  strokeDasharray?: string | number;
  /** What a bar is filled with, where that is more than its colour. */
  fill?: string;
}

export function Legend({ marks, of }: { marks: readonly Mark[]; of: 'lines' | 'bars' }) {
  return (
    <ul className={styles.legend}>
      {marks.map((mark) => (
        <li key={mark.name}>
          {of === 'lines' ? (
            <svg viewBox="0 0 26 8" className={styles.line} aria-hidden>
              <path d="M0 4h26" stroke={mark.color} strokeDasharray={mark.strokeDasharray} strokeWidth={2} />
            </svg>
          ) : (
            <svg viewBox="0 0 14 14" className={styles.bar} aria-hidden>
              <rect width={14} height={14} rx={2} fill={mark.fill ?? mark.color} />
            </svg>
          )}
          {mark.label}
        </li>
      ))}
    </ul>
  );
}
