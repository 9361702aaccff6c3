/** Other cells in place of these; where something would be lost, it takes a second press. */
import { Button } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { sessions } from './session';

const DOUBT = 5_000;

export function StartOver({ icon }: { icon: ReactNode }) {
  const { t } = useTranslation();
  const [sure, setSure] = useState(true);
  useEffect(() => {
    if (sure) return;
    const timer = setTimeout(() => setSure(true), DOUBT);
    return () => clearTimeout(timer);
  }, [sure]);

  function press() {
    if (sure && sessions.precious()) setSure(false);
    else sessions.close();
  }

  return (
    <Button
      variant={sure ? 'default' : 'filled'}
      color={sure ? 'teal' : 'red'}
      leftSection={icon}
      onClick={press}
    >
      {t(sure ? 'many.other' : 'many.sure')}
    </Button>
  );
}
