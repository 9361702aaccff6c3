import { notifications } from '@mantine/notifications';
import { IconLanguage } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { isLanguage, LANGUAGES, speak } from '../i18n';
import { IconMenu } from '../parts/IconMenu';

export function LanguageMenu() {
  const { t, i18n } = useTranslation();
  const away = () =>
    notifications.show({
      color: 'red',
      title: t('failure.unreachable.title'),
      message: t('failure.unreachable.todo'),
    });
  const choices = Object.keys(LANGUAGES)
    .filter(isLanguage)
    .map((language) => ({
      key: language,
      lang: language,
      label: LANGUAGES[language],
      choose: () => void speak(language).catch(away),
    }));
  return (
    <IconMenu
      label={t('language.label')}
      icon={<IconLanguage size="1.3rem" aria-hidden />}
      chosen={i18n.language}
      choices={choices}
    />
  );
}
