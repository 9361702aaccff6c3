/** From what a person brings to a job: look, choose, send. */
import { Loader, Text } from '@mantine/core';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import panels from '../diagnose/Panels.module.css';
import { FailureNote } from '../layout/FailureNote';
import { zipTools } from '../parts/zipTools';
import { BringCells } from './BringCells';
import { ContentCard } from './ContentCard';
import { usable } from './content';
import { desk } from './desk';
import { OptionsForm } from './OptionsForm';
import { chosen, DEFAULTS, type Options } from './options';
import { SendLine } from './SendLine';
import styles from './Training.module.css';

export function Upload() {
  const { t } = useTranslation();
  const state = useSyncExternalStore(desk.subscribe, desk.current);
  const [options, setOptions] = useState<Options>(DEFAULTS);
  useAhead();
  useOpened();
  const send = () => void desk.send(chosen(options));
  return (
    <section className={styles.column} aria-label={t('training.upload')}>
      {state.kind === 'unread' ? (
        <FailureNote error={state.error} onRetry={() => void desk.bring(state.files)} />
      ) : null}
      {state.kind === 'empty' || state.kind === 'unread' ? <BringCells /> : null}
      {state.kind === 'looking' ? (
        <div className={panels.panel}>
          <Loader size="sm" mr="sm" />
          <Text span role="status">
            {t('training.looking')}
          </Text>
        </div>
      ) : null}
      {state.kind === 'ready' || state.kind === 'sending' ? <ContentCard content={state.content} /> : null}
      {state.kind === 'ready' && usable(state.content) ? (
        <OptionsForm options={options} onChange={setOptions} onSend={send} />
      ) : null}
      {state.kind === 'sending' ? <SendLine at={state.at} onRetry={send} /> : null}
    </section>
  );
}

/** What opens a ZIP is fetched while a person looks for theirs. */
function useAhead(): void {
  useEffect(() => void zipTools().catch(() => {}), []); // asked for again when it is needed
}

/** Once it is sent, its job is what a person wants to see. */
function useOpened(): void {
  const [, go] = useLocation();
  const state = useSyncExternalStore(desk.subscribe, desk.current);
  const job = state.kind === 'sending' && state.at.step === 'done' ? state.at.job : null;
  useEffect(() => {
    if (!job) return;
    desk.clear();
    go(`/training?job=${job}`);
  }, [job, go]);
}
