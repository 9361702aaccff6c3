/** Use the new model or leave it. What was accepted serves already, so leaving it goes back, with a reason. */
import { Alert, Anchor, Button, Group, Text, TextInput } from '@mantine/core';
import { IconArrowBackUp, IconCheck, IconCircleCheck } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { Task } from '../api/types';
import { promote, rollBack } from '../api/versions';
import panels from '../diagnose/Panels.module.css';
import { FailureNote } from '../layout/FailureNote';
import { preferences, usePreferences } from '../parts/preferences';
import { journey } from './journey';
import { choiceOf } from './judged';
import type { Outcome } from './kept';
import { More } from './SendStep';
import styles from './Setup.module.css';

export function Choose({ task }: { task: Task }) {
  const { outcome } = journey.journey;
  return outcome ? <Done outcome={outcome} /> : <Open task={task} />;
}

function Done({ outcome }: { outcome: Outcome }) {
  const { t } = useTranslation();
  return (
    <Alert
      color="teal"
      variant="outline"
      role="status"
      bg="var(--surface)"
      icon={<IconCircleCheck aria-hidden />}
      title={t(`setup.choose.${outcome.what}Title`)}
    >
      {t(`setup.choose.${outcome.what}Done`, { version: outcome.version })}{' '}
      <Anchor component={Link} href="/diagnose" underline="always">
        {t('setup.choose.diagnose')}
      </Anchor>
    </Alert>
  );
}

function Open({ task }: { task: Task }) {
  const { t } = useTranslation();
  const { by } = usePreferences();
  const [reason, setReason] = useState('');
  const [state, setState] = useState<{ busy: boolean; why: unknown }>({ busy: false, why: null });
  const choice = choiceOf(task);
  const [champion, version] = [task.champion ?? '', task.version ?? ''];
  const signed = by.trim() !== '' && reason.trim() !== '';
  const who = { actor: by.trim(), reason: reason.trim() };

  async function change(work: Promise<unknown>, outcome: Outcome) {
    setState({ busy: true, why: null });
    try {
      await work;
      journey.end(outcome);
    } catch (why) {
      setState({ busy: false, why });
    }
  }
  const left: Outcome = { what: 'left', version: champion };
  const used: Outcome = { what: 'used', version };

  return (
    <section className={`${panels.panel} ${styles.panel}`} aria-label={t('setup.choose.title')}>
      <h3 className={styles.big}>{t('setup.choose.title')}</h3>
      <Text>{t(`setup.choose.${choice === 'broken' ? 'stays' : choice}`, { version, champion })}</Text>
      {choice === 'stays' || choice === 'doubtful' ? null : (
        <Signature reason={reason} onReason={setReason} />
      )}
      <Group>
        {choice === 'served' ? (
          <>
            <Button leftSection={<IconCheck size="1.1rem" aria-hidden />} onClick={() => journey.end(used)}>
              {t('setup.choose.use')}
            </Button>
            <Button
              variant="default"
              leftSection={<IconArrowBackUp size="1.1rem" aria-hidden />}
              disabled={!signed}
              loading={state.busy}
              onClick={() => void change(rollBack(champion, who), left)}
            >
              {t('setup.choose.back')}
            </Button>
          </>
        ) : (
          <>
            <Button leftSection={<IconCheck size="1.1rem" aria-hidden />} onClick={() => journey.end(left)}>
              {t('setup.choose.leave')}
            </Button>
            {choice === 'may-use' ? (
              <Button
                variant="default"
                disabled={!signed}
                loading={state.busy}
                onClick={() => void change(promote(version, who), used)}
              >
                {t('setup.choose.useAnyway')}
              </Button>
            ) : null}
          </>
        )}
        <More disabled={state.busy} />
      </Group>
      {state.why ? <FailureNote error={state.why} /> : null}
    </section>
  );
}

/** A change of what is served is signed: both words stay in the log. */
function Signature({ reason, onReason }: { reason: string; onReason: (reason: string) => void }) {
  const { t } = useTranslation();
  const { by } = usePreferences();
  return (
    <>
      <TextInput
        maw="32rem"
        label={t('review.told.by')}
        maxLength={200}
        value={by}
        onChange={({ currentTarget }) => preferences.change({ by: currentTarget.value })}
      />
      <TextInput
        maw="32rem"
        label={t('setup.choose.reason')}
        description={t('setup.choose.reasonWhy')}
        maxLength={1000}
        value={reason}
        onChange={({ currentTarget }) => onReason(currentTarget.value)}
      />
    </>
  );
}
