/** One cell after another: what is it? A key each, and the last one taken back. */
import { Button, Group, Kbd, RingProgress, Text } from '@mantine/core';
import { IconArrowBackUp, IconArrowRight } from '@tabler/icons-react';
import { useCallback, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import type { Decision } from '../diagnose/cell';
import { DecisionButtons } from '../diagnose/DecisionButtons';
import panels from '../diagnose/Panels.module.css';
import { Picture } from '../diagnose/Picture';
import { free, useDecisionKeys } from '../diagnose/useDecisionKeys';
import { reachOf, toBeSure, toDecide, toLearn } from '../parts/enough';
import { Needs, useNeeds } from '../parts/Needs';
import { journey } from './journey';
import styles from './Setup.module.css';

export function LabelStep() {
  const { t } = useTranslation();
  const { next, counts } = journey;
  const id = next?.id ?? null;
  const decide = useCallback((decision: Decision) => id !== null && journey.decide(id, decision), [id]);
  useDecisionKeys(decide);
  useUndoKey();
  const asked = next ?? journey.journey.offered.at(-1); // the last one stays until its label is kept
  const cell = asked ? journey.cellOf(asked.id) : null;
  if (!asked || !cell) return null;
  return (
    <section className={`${panels.panel} ${styles.labelling}`} aria-label={t('setup.steps.label')}>
      <Picture cell={cell} map={null} opacity={0} />
      <div className={styles.side}>
        <h3 className={styles.big}>{t('setup.label.question')}</h3>
        <Text c="var(--muted)">{t(`setup.label.${asked.why}`)}</Text>
        <DecisionButtons decision={null} onDecide={decide} />
        <Text size="sm" c="var(--muted)">
          {t('setup.label.leave')}
        </Text>
        <Ring />
        <Group gap="xs">
          <Button
            variant="default"
            leftSection={<IconArrowBackUp size="1.1rem" aria-hidden />}
            rightSection={<Kbd size="xs">Z</Kbd>}
            disabled={journey.journey.order.length === 0}
            onClick={() => journey.undo()}
          >
            {t('setup.label.undo')}
          </Button>
          <Button
            variant="default"
            rightSection={<IconArrowRight size="1.1rem" aria-hidden />}
            disabled={counts.parasitized === 0 || counts.uninfected === 0}
            onClick={() => journey.enough(true)}
          >
            {t('setup.label.enough')}
          </Button>
        </Group>
        <Needs counts={counts} brief />
        <Reached />
      </div>
    </section>
  );
}

/** What the labels so far would come to. */
function Reached() {
  const { t } = useTranslation();
  const needs = useNeeds();
  if (!needs) return null;
  const told = { ...toDecide(needs), ...toBeSure(needs), learn: toLearn(needs) };
  return (
    <>
      <Text data-testid="reached">{t(`setup.reached.${reachOf(journey.groups, needs)}`, told)}</Text>
      <Text size="sm" c="var(--muted)">
        {t('setup.reached.pause')}
      </Text>
    </>
  );
}

function Ring() {
  const { t } = useTranslation();
  const { offered, labels } = journey.journey;
  const total = offered.length;
  const done = offered.filter(({ id }) => labels[id]).length;
  return (
    <div className={styles.ring}>
      <RingProgress
        size={88}
        thickness={10}
        roundCaps
        sections={[{ value: (100 * done) / Math.max(1, total), color: 'teal' }]}
        label={
          <Text ta="center" fw={650} aria-hidden>
            {done}
          </Text>
        }
        aria-hidden
      />
      <Text role="status" data-testid="labelled">
        {t('setup.label.done', { done, total })}
      </Text>
    </div>
  );
}

/** Z takes the last one back, also with Ctrl, as people are used to. */
function useUndoKey(): void {
  useEffect(() => {
    function press(event: KeyboardEvent) {
      const plain = event.key.toLowerCase() === 'z' && free(event);
      const control =
        event.key.toLowerCase() === 'z' && (event.ctrlKey || event.metaKey) && !event.defaultPrevented;
      if (!plain && !control && !(event.key === 'Backspace' && free(event))) return;
      event.preventDefault();
      journey.undo();
    }
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, []);
}
