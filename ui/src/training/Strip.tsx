/** Some pictures of a class in a row: a swapped folder is seen at once. */
import { Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Source } from '../diagnose/intake';
import type { Class } from './content';
import { leafOf } from './patients';
import styles from './Training.module.css';

interface Shown {
  name: string;
  address: string;
}

export function Strip({ label, sources }: { label: Class; sources: readonly Source[] }) {
  const { t } = useTranslation();
  const shown = useAddresses(sources);
  return (
    <div>
      <Text size="sm" c="var(--muted)">
        {t('training.content.some', { label: t(`training.classes.${label}`) })}
      </Text>
      <ul className={styles.strip}>
        {shown.map(({ name, address }) => (
          <li key={address}>
            <img src={address} alt={t('picture.alt', { name })} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function useAddresses(sources: readonly Source[]): Shown[] {
  const [shown, setShown] = useState<Shown[]>([]);
  useEffect(() => {
    let current = true;
    let made: Shown[] = [];
    void Promise.all(
      sources.map(async (source) => ({
        name: leafOf(source.name),
        address: URL.createObjectURL(await source.load()),
      })),
    ).then(
      (found) => {
        made = found;
        if (current) setShown(found);
        else forget(found);
      },
      () => {}, // it could be read a moment ago; the counts stand without the pictures
    );
    return () => {
      current = false;
      forget(made);
    };
  }, [sources]);
  return shown;
}

function forget(shown: readonly Shown[]): void {
  for (const { address } of shown) URL.revokeObjectURL(address);
}
