/** What is known of something, by name; what is not known is left out. */
import { Title } from '@mantine/core';
import panels from '../diagnose/Panels.module.css';
import styles from './Facts.module.css';

/** What is longer than this has a line of its own. */
const LONG = 40;

interface Props {
  title: string;
  facts: readonly (readonly [string, string | number | null | undefined])[];
}

export function Facts({ title, facts }: Props) {
  return (
    <section className={panels.panel} aria-label={title}>
      <Title order={3} size="h4" mb="sm">
        {title}
      </Title>
      <dl className={styles.facts}>
        {facts
          .filter(([, value]) => value !== null && value !== undefined && value !== '')
          .map(([name, value]) => (
            <div key={name} data-long={String(value).length > LONG || undefined}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </section>
  );
}
