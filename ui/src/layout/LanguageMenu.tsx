import { ActionIcon, Menu } from '@mantine/core';
import { IconCheck, IconLanguage } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { isLanguage, LANGUAGES, speak } from '../i18n';

export function LanguageMenu() {
  const { t, i18n } = useTranslation();
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="xl" aria-label={t('language.label')}>
          <IconLanguage size="1.3rem" aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {Object.keys(LANGUAGES)
          .filter(isLanguage)
          .map((language) => (
            <Menu.Item
              key={language}
              lang={language}
              rightSection={language === i18n.language ? <IconCheck size="1rem" aria-hidden /> : null}
              onClick={() => void speak(language)}
            >
              {LANGUAGES[language]}
            </Menu.Item>
          ))}
      </Menu.Dropdown>
    </Menu>
  );
}
