/** What a person says of a cell: a button each, and the key that does the same. */
import { Button, Group, Kbd } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Decision } from './cell';
import { MARKS } from './marks';

export const DECISIONS: readonly { decision: Decision; key: string }[] = [
  { decision: 'parasitized', key: 'P' },
  { decision: 'uninfected', key: 'U' },
  { decision: 'excluded', key: 'X' },
];

interface Props {
  decision: Decision | null;
  onDecide: (decision: Decision) => void;
}

export function DecisionButtons({ decision: said, onDecide }: Props) {
  const { t } = useTranslation();
  return (
    <Group gap="xs" role="group" aria-label={t('decide.label')}>
      {DECISIONS.map(({ decision, key }) => {
        const { Icon, ink } = MARKS[decision];
        const chosen = said === decision;
        return (
          <Button
            key={decision}
            variant={chosen ? 'filled' : 'default'}
            aria-pressed={chosen}
            onClick={() => onDecide(decision)}
            leftSection={<Icon size="1.2rem" aria-hidden color={chosen ? 'currentColor' : ink} />}
            rightSection={<Kbd size="xs">{key}</Kbd>}
          >
            {t(`decide.${decision}`)}
          </Button>
        );
      })}
    </Group>
  );
}
