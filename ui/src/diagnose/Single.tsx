import { Button, Group, Title } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import { CollectHint } from '../review/CollectHint';
import { CellView } from './CellView';
import type { Cell, Decision } from './cell';
import styles from './Single.module.css';
import { sessions } from './session';
import { useDecisionKeys } from './useDecisionKeys';
import type { Intake } from './useIntake';

export default function Single({ cell, intake }: { cell: Cell; intake: Intake }) {
  const { t } = useTranslation();
  const decide = useCallback((decision: Decision) => sessions.decide(cell, decision), [cell]);
  useDecisionKeys(cell.answer ? decide : null);
  return (
    <div className={styles.single}>
      <Group justify="space-between" mb="lg">
        <Title order={2} className={styles.title}>
          {t('single.title')}
        </Title>
        <Group gap="xs">
          <Button
            variant="default"
            leftSection={<IconArrowLeft size="1.1rem" aria-hidden />}
            onClick={sessions.close}
          >
            {t('single.other')}
          </Button>
          <Button variant="default" disabled={intake.busy} onClick={() => intake.sample(1)}>
            {t('bring.sample', { count: 1 })}
          </Button>
        </Group>
      </Group>
      <CellView cell={cell} />
      {cell.decision ? <CollectHint /> : null}
    </div>
  );
}
