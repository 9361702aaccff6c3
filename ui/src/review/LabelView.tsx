/** One label: the picture, what the model had said, what a person says, and whose cell it is. */
import { Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Cell, Decision } from '../diagnose/cell';
import { DecisionButtons } from '../diagnose/DecisionButtons';
import { Picture } from '../diagnose/Picture';
import { ProbabilityBar } from '../diagnose/ProbabilityBar';
import { Verdict } from '../diagnose/Verdict';
import { collection } from './collection';
import type { Label } from './label';
import { outbox } from './outbox';
import styles from './Review.module.css';

interface Props {
  cell: Cell;
  label: Label;
  onDecide: (cell: Cell, decision: Decision) => void;
}

export function LabelView({ cell, label, onDecide }: Props) {
  const { t } = useTranslation();
  const { said, told } = label;
  return (
    <div className={styles.label}>
      <Picture cell={cell} map={null} opacity={0} />
      <Stack gap="xs">
        <Text size="sm" c="var(--muted)">
          {t('review.panel.model', { version: said.version })}
        </Text>
        <Verdict cell={cell} />
      </Stack>
      {said.probability === null ? null : (
        <ProbabilityBar probability={said.probability} threshold={said.threshold} band={null} />
      )}
      <DecisionButtons decision={label.label} onDecide={(decision) => onDecide(cell, decision)} />
      <div className={styles.fields}>
        <Field name="patient" label={label} />
        <Field name="slide" label={label} />
      </div>
      <Text size="sm" c="var(--muted)">
        {t(`review.panel.${told.state}`)}{' '}
        {told.state === 'refused' ? <span lang="en">{told.why}</span> : null}
      </Text>
      <Text size="sm" c="var(--muted)">
        {label.name}
      </Text>
    </div>
  );
}

/** Written down when it is left. */
function Field({ name, label }: { name: 'patient' | 'slide'; label: Label }) {
  const { t } = useTranslation();
  const [text, setText] = useState(label[name]);
  return (
    <TextInput
      label={t(`review.batch.${name}`)}
      maxLength={100}
      value={text}
      onChange={({ currentTarget }) => setText(currentTarget.value)}
      onBlur={() => {
        if (text.trim() === label[name]) return;
        void collection.change([label.id], { [name]: text.trim() }).then(() => outbox.soon());
      }}
    />
  );
}
