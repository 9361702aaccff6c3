/** From a folder of unlabelled cells to a model that fits a laboratory's microscope, or the word that it need not. */
import { Group, Loader, Text, Title } from '@mantine/core';
import { IconRotate } from '@tabler/icons-react';
import { useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { Caution } from '../parts/Caution';
import { SureButton } from '../parts/SureButton';
import wrap from '../parts/Wrap.module.css';
import { AdaptStep } from './AdaptStep';
import { AskingStep, BringStep } from './BringStep';
import { journey, type Step } from './journey';
import { LabelStep } from './LabelStep';
import { SendStep } from './SendStep';
import styles from './Setup.module.css';

const STEPS = ['bring', 'label', 'send', 'compare'] as const;
const PLACE: Record<Step, number> = {
  opening: 0,
  bring: 0,
  asking: 0,
  choosing: 0,
  label: 1,
  send: 2,
  adapt: 2,
  compare: 3,
};

export default function Setup() {
  const { t } = useTranslation();
  useSyncExternalStore(journey.subscribe, journey.snapshot);
  const { step } = journey;
  return (
    <div className={`${styles.setup} ${wrap.wrap}`}>
      <Group justify="space-between" align="start">
        <Title order={2}>{t('setup.title')}</Title>
        {PLACE[step] > 0 || step === 'asking' ? (
          <SureButton
            icon={<IconRotate size="1.1rem" aria-hidden />}
            label={t('setup.anew')}
            sure={t('setup.anewSure')}
            harmless={journey.journey.outcome !== null}
            onSure={() => void journey.reset()}
          />
        ) : null}
      </Group>
      <Steps at={PLACE[step]} />
      {journey.unkept ? (
        <Caution title={`${t('setup.unkept.title')}.`}>{t('setup.unkept.todo')}</Caution>
      ) : null}
      <StepView step={step} />
      <Text size="sm" c="var(--muted)">
        {t('setup.privacy')}
      </Text>
    </div>
  );
}

function StepView({ step }: { step: Step }) {
  const { t } = useTranslation();
  switch (step) {
    case 'opening':
      return <Loader role="progressbar" aria-label={t('setup.opening')} />;
    case 'bring':
      return <BringStep />;
    case 'asking':
    case 'choosing':
      return <AskingStep choosing={step === 'choosing'} />;
    case 'label':
      return <LabelStep />;
    case 'send':
      return <SendStep />;
    case 'adapt':
    case 'compare':
      return <AdaptStep />;
  }
}

function Steps({ at }: { at: number }) {
  const { t } = useTranslation();
  return (
    <ol className={styles.steps} aria-label={t('setup.steps.all')}>
      {STEPS.map((name, place) => (
        <li
          key={name}
          className={styles.step}
          aria-current={place === at ? 'step' : undefined}
          data-done={place < at || undefined}
        >
          {place + 1}. {t(`setup.steps.${name}`)}
        </li>
      ))}
    </ol>
  );
}
