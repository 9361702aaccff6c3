/** Each rule of the gate: whether it is met, what was seen, and what it was held against. */
import { Text } from '@mantine/core';
import { IconCheck, IconHelp, IconX, type TablerIcon } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Rule } from '../api/types';
import { type Figures, useFigures } from '../parts/figures';
import { Words } from '../parts/Words';
import styles from './Jobs.module.css';
import { keyOf, kindOf, type Outcome, outcomeOf, saidOf } from './receipt';

const OUTCOMES: Record<Outcome, { Icon: TablerIcon; ink: string }> = {
  passed: { Icon: IconCheck, ink: 'var(--uninfected)' },
  broken: { Icon: IconX, ink: 'var(--parasitized)' },
  open: { Icon: IconHelp, ink: 'var(--review)' },
};

export function Rules({ rules }: { rules: readonly Rule[] }) {
  return (
    <ul className={styles.rules} data-testid="rules">
      {rules.map((rule) => (
        <RuleLine key={rule.name} rule={rule} />
      ))}
    </ul>
  );
}

function RuleLine({ rule }: { rule: Rule }) {
  const { t } = useTranslation();
  const figures = useFigures();
  const outcome = outcomeOf(rule);
  const { Icon, ink } = OUTCOMES[outcome];
  return (
    <li className={styles.rule} data-testid={`rule-${keyOf(rule)}`} data-outcome={outcome}>
      <span className={styles.outcome} style={{ color: ink }}>
        <Icon size="1.15rem" stroke={2.4} aria-hidden />
        {t(`training.outcomes.${outcome}`)}
      </span>
      <div>
        <Text fw={600}>
          <RuleName rule={rule} />
        </Text>
        <Seen rule={rule} figures={figures} />
        <Text size="sm" c="var(--muted)">
          <Said rule={rule} />
        </Text>
      </div>
    </li>
  );
}

export function RuleName({ rule }: { rule: Rule }) {
  return <Words at="training.rules" code={keyOf(rule)} own={rule.name} />;
}

/** A sentence for what it found. */
export function Said({ rule }: { rule: Rule }) {
  const figures = useFigures();
  const kind = kindOf(rule);
  const bare = kind === 'points' ? 'margin' : kind === 'difference' ? 'number' : kind;
  const values = {
    value: figures.value(rule.value, kind),
    low: figures.value(rule.low, kind),
    high: figures.value(rule.high, kind),
    bound: figures.value(rule.bound, kind),
    most: figures.value(Math.abs(rule.bound), bare),
  };
  return <Words at="training.said" code={saidOf(rule)} own={rule.text} values={values} />;
}

function Seen({ rule, figures }: { rule: Rule; figures: Figures }) {
  const { t } = useTranslation();
  const kind = kindOf(rule);
  const unit = kind === 'points' ? ` ${t('training.receipt.points')}` : '';
  const bounds = rule.low === null || rule.high === null ? null : ([rule.low, rule.high] as const);
  return (
    <div className={styles.seen}>
      <span>
        {t('training.receipt.seen')} <b>{figures.value(rule.value, kind)}</b>
        {rule.value === null ? '' : unit}
      </span>
      {bounds ? (
        <span>
          {t('training.receipt.between')} {figures.between(bounds, kind)}
        </span>
      ) : null}
      <span>
        {t('training.receipt.bound')} {figures.value(rule.bound, kind)}
        {unit}
      </span>
    </div>
  );
}
