import { useMantineColorScheme } from '@mantine/core';
import { IconDeviceDesktop, IconMoon, IconSun } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { IconMenu } from '../parts/IconMenu';

const CHOICES = [
  { scheme: 'auto', Icon: IconDeviceDesktop },
  { scheme: 'light', Icon: IconSun },
  { scheme: 'dark', Icon: IconMoon },
] as const;

export function SchemeSwitch() {
  const { t } = useTranslation();
  // Otherwise Mantine writes a <style> element for the moment of the change, which the policy forbids.
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const Now = CHOICES.find((choice) => choice.scheme === colorScheme)?.Icon ?? IconDeviceDesktop;
  const choices = CHOICES.map(({ scheme, Icon }) => ({
    key: scheme,
    label: t(`scheme.${scheme}`),
    icon: <Icon size="1.1rem" aria-hidden />,
    choose: () => setColorScheme(scheme),
  }));
  return (
    <IconMenu
      label={t('scheme.label')}
      icon={<Now size="1.3rem" aria-hidden />}
      chosen={colorScheme}
      choices={choices}
    />
  );
}
