/** Shown once a key is in use: what it may do, and putting it away. */
import { ActionIcon, Button, Popover, Stack, Text } from '@mantine/core';
import { IconKey } from '@tabler/icons-react';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { status } from '../api/cells';
import { keys } from '../api/key';
import type { Status } from '../api/types';

type Access = Status['access'];

export function KeyButton() {
  const { t } = useTranslation();
  const key = useSyncExternalStore(keys.subscribe, keys.current);
  const access = useAccess(key);
  if (key === null) return null;
  return (
    <Popover position="bottom-end" width={280} withinPortal>
      <Popover.Target>
        <ActionIcon variant="subtle" color="gray" size="xl" aria-label={t('key.inUse')}>
          <IconKey size="1.3rem" aria-hidden />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="sm">
          <Text fw={600}>{t('key.inUse')}</Text>
          <Scopes access={access} />
          <Text size="sm" c="var(--muted)">
            {t('key.kept')}
          </Text>
          <Button variant="default" onClick={keys.forget}>
            {t('key.forget')}
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

function Scopes({ access }: { access: Access | null }) {
  const { t } = useTranslation();
  if (!access) return null;
  return (
    <div>
      <Text size="sm">{t('key.may')}</Text>
      <ul>
        {access.scopes.map((scope) => (
          <li key={scope}>{t(`key.scopes.${scope}`)}</li>
        ))}
      </ul>
    </div>
  );
}

/** What the key may do, as the server tells; null until it does. */
function useAccess(key: string | null): Access | null {
  const [access, setAccess] = useState<Access | null>(null);
  useEffect(() => {
    let current = true;
    setAccess(null);
    if (key === null) return;
    status().then(
      (told) => current && setAccess(told.access),
      () => {}, // whatever is asked next tells what is wrong
    );
    return () => {
      current = false;
    };
  }, [key]);
  return access;
}
