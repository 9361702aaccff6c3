/** Other cells in place of these; where something would be lost, it takes a second press. */
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { SureButton } from '../parts/SureButton';
import { sessions } from './session';

export function StartOver({ icon }: { icon: ReactNode }) {
  const { t } = useTranslation();
  return (
    <SureButton
      label={t('many.other')}
      sure={t('many.sure')}
      icon={icon}
      harmless={!sessions.precious()}
      onSure={sessions.close}
    />
  );
}
