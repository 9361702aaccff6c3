import { Anchor, Group, Text, Title } from '@mantine/core';
import { type ReactNode, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation, useRoute } from 'wouter';
import { SCREENS } from '../screens';
import { KeyButton } from './KeyButton';
import { LanguageMenu } from './LanguageMenu';
import { OfflineNote } from './OfflineNote';
import { SchemeSwitch } from './SchemeSwitch';
import styles from './Shell.module.css';
import { inTheMiddle, useFit } from './useFit';

export function Shell({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const header = useRef<HTMLElement>(null);
  useFit(header);
  useTitle();
  return (
    <div className={styles.page}>
      <a className={styles.skip} href="#main">
        {t('nav.skip')}
      </a>
      <header ref={header} className={styles.header}>
        <Group gap="sm" wrap="nowrap" className={styles.brand}>
          <img src="/icon.svg" alt="" width={32} height={32} />
          <Title order={1} size="h4" className={styles.title}>
            {t('app.name')}
          </Title>
        </Group>
        <nav aria-label={t('nav.label')} className={styles.nav}>
          {SCREENS.map((screen) => (
            <NavigationLink key={screen.path} screen={screen} />
          ))}
        </nav>
        <Group gap={4} wrap="nowrap" className={styles.tools}>
          <KeyButton />
          <LanguageMenu />
          <SchemeSwitch />
        </Group>
      </header>
      <OfflineNote />
      <main id="main" className={styles.main} tabIndex={-1}>
        {children}
      </main>
      <footer className={styles.footer}>
        <Text size="sm">{t('app.notice')}</Text>
        <Anchor size="sm" href="/docs" underline="always">
          {t('app.docs')}
        </Anchor>
      </footer>
    </div>
  );
}

function NavigationLink({ screen }: { screen: (typeof SCREENS)[number] }) {
  const { t } = useTranslation();
  const [here] = useRoute(screen.path);
  const link = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    if (here && link.current) inTheMiddle(link.current);
  }, [here]);
  return (
    <Link ref={link} href={screen.path} className={styles.link} aria-current={here ? 'page' : undefined}>
      <screen.Icon size="1.25rem" aria-hidden />
      {t(screen.name)}
    </Link>
  );
}

/** The tab says which screen it shows, in the language of the page. */
function useTitle(): void {
  const { t } = useTranslation();
  const [path] = useLocation();
  useEffect(() => {
    const screen = SCREENS.find((one) => one.path === path);
    document.title = screen ? `${t(screen.name)} · ${t('app.name')}` : t('app.name');
  }, [t, path]);
}
