import { Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export default function Monitor() {
  const { t } = useTranslation();
  return <Title order={2}>{t('monitor.title')}</Title>;
}
