/** One cell: its picture and map, the answer, what it was made of, and what a person says. */
import { Loader, Slider, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { FailureNote } from '../layout/FailureNote';
import styles from './CellView.module.css';
import type { Cell } from './cell';
import { DecisionButtons } from './DecisionButtons';
import { Details } from './Details';
import { Picture } from './Picture';
import { ProbabilityBar } from './ProbabilityBar';
import { sessions } from './session';
import { useExplained } from './useExplained';
import { useModel } from './useModel';
import { Verdict } from './Verdict';

interface Props {
  cell: Cell;
  /** In a panel beside others: one column, and nothing is asked while somebody leafs through. */
  narrow?: boolean;
}

export function CellView({ cell, narrow = false }: Props) {
  const { told, error, again } = useExplained(cell, narrow);
  const model = useModel(cell.answer?.version ?? null);
  const [opacity, setOpacity] = useState(1);
  const map = told?.explanation ?? null;
  const { answer } = cell;
  const picture = <Picture cell={cell} map={map} opacity={opacity} />;
  const slider = map ? <MapSlider value={opacity} onChange={setOpacity} /> : null;
  return (
    <div className={narrow ? styles.narrow : styles.wide}>
      <Stack gap="sm">
        {picture}
        {narrow ? null : slider}
      </Stack>
      <Stack gap={narrow ? 'md' : 'lg'} aria-live="polite" aria-busy={!answer && !error}>
        {answer || cell.trouble ? <Verdict cell={cell} /> : error ? null : <Asking />}
        {error ? <FailureNote error={error} onRetry={again} /> : null}
        {answer && answer.probability !== null ? (
          <ProbabilityBar
            probability={answer.probability}
            threshold={answer.threshold}
            band={model?.review ?? null}
          />
        ) : null}
        {answer ? (
          <DecisionButtons
            decision={cell.decision}
            onDecide={(decision) => sessions.decide(cell, decision)}
          />
        ) : null}
        {narrow ? slider : null}
        <Details cell={cell} told={told} model={model} />
      </Stack>
    </div>
  );
}

function Asking() {
  const { t } = useTranslation();
  return (
    <Text size="xl" role="status">
      <Loader size="sm" mr="sm" aria-hidden />
      {t('single.asking')}
    </Text>
  );
}

function MapSlider({ value, onChange }: { value: number; onChange: (value: number) => void }) {
  const { t } = useTranslation();
  return (
    <div>
      <Text size="sm" fw={550} id="map-opacity">
        {t('map.opacity')}
      </Text>
      <Slider
        value={Math.round(value * 100)}
        onChange={(percent) => onChange(percent / 100)}
        label={(percent) => `${percent} %`}
        thumbLabel={t('map.opacity')}
        size="lg"
      />
      <Text size="sm" c="var(--muted)" mt={4}>
        {t('map.meaning')}
      </Text>
    </div>
  );
}
