/** Before anything is sent: what there is, whether it is enough, what is kept apart, and what leaves the browser. */
import { Button, Group, Switch, Text } from '@mantine/core';
import { IconArrowBackUp, IconPlus, IconWand } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import panels from '../diagnose/Panels.module.css';
import { FailureNote } from '../layout/FailureNote';
import { Caution } from '../parts/Caution';
import { reachOf, toBeSure, toDecide, toLearn } from '../parts/enough';
import { useFormat } from '../parts/format';
import { Needs, useNeeds } from '../parts/Needs';
import { journey, MORE } from './journey';
import styles from './Setup.module.css';

export function SendStep() {
  const { t } = useTranslation();
  const [state, setState] = useState<{ busy: boolean; why: unknown }>({ busy: false, why: null });
  const { counts } = journey;
  const both = counts.parasitized > 0 && counts.uninfected > 0;

  async function send() {
    setState({ busy: true, why: null });
    try {
      await journey.send(t('app.notice'), t('setup.send.note'));
    } catch (why) {
      setState({ busy: false, why });
    }
  }

  return (
    <section className={`${panels.panel} ${styles.panel}`} aria-label={t('setup.steps.send')}>
      <h3 className={styles.big}>
        {t('setup.send.title', { count: counts.parasitized + counts.uninfected })}
      </h3>
      <Needs counts={counts} brief />
      <Warning />
      <Split />
      <Group>
        <Button
          size="md"
          leftSection={<IconWand size="1.2rem" aria-hidden />}
          disabled={!both}
          loading={state.busy}
          onClick={() => void send()}
        >
          {t('setup.send.adapt')}
        </Button>
        <More disabled={state.busy} />
        <Button
          variant="default"
          leftSection={<IconArrowBackUp size="1.1rem" aria-hidden />}
          disabled={state.busy || journey.journey.order.length === 0}
          onClick={() => journey.undo()}
        >
          {t('setup.label.undo')}
        </Button>
      </Group>
      <Text size="sm" c="var(--muted)">
        {t('setup.send.leaves')}
      </Text>
      {state.why ? <FailureNote error={state.why} onRetry={() => void send()} /> : null}
    </section>
  );
}

/** Another lot; of those offered, the ones not yet labelled come first. */
export function More({ disabled = false }: { disabled?: boolean }) {
  const { t } = useTranslation();
  const count = Math.min(MORE, journey.left);
  if (journey.next) {
    return (
      <Button variant="default" disabled={disabled} onClick={() => journey.backToLabels()}>
        {t('setup.send.rest')}
      </Button>
    );
  }
  if (count === 0) return <Text size="sm">{t('setup.send.all')}</Text>;
  return (
    <Button
      variant="default"
      leftSection={<IconPlus size="1.1rem" aria-hidden />}
      disabled={disabled}
      onClick={() => journey.more()}
    >
      {t('setup.send.more', { count })}
    </Button>
  );
}

function Warning() {
  const { t } = useTranslation();
  const needs = useNeeds();
  const { counts, groups } = journey;
  if (!needs) return null;
  const reach = reachOf(groups, needs);
  if (reach === 'enough') return null;
  const told = {
    ...toDecide(needs),
    ...toBeSure(needs),
    few: Math.min(counts.parasitized, counts.uninfected),
    learn: toLearn(needs),
  };
  return (
    <Caution title={`${t(reach === 'chance' ? 'setup.few.perhaps' : 'setup.few.title')}.`}>
      {t(`setup.few.${reach}`, told)}{' '}
      {reach === 'patients' && journey.journey.byFolder ? `${t('setup.few.folder')} ` : null}
      {t('setup.few.together')}
    </Caution>
  );
}

/** Which cells are judged on, and which learnt from. */
function Split() {
  const { t } = useTranslation();
  const format = useFormat();
  const needs = useNeeds();
  const { counts, folders } = journey;
  const { byFolder } = journey.journey;
  const apart = Math.round((counts.parasitized + counts.uninfected) * (needs?.judged_share ?? 0));
  return (
    <>
      {needs ? (
        <Text>
          {t('setup.send.split', { share: format.percent(needs.judged_share), apart: format.count(apart) })}
        </Text>
      ) : null}
      {folders > 1 ? (
        <Switch
          label={t('setup.send.folders', { count: folders })}
          description={t('setup.send.foldersWhy')}
          checked={byFolder}
          onChange={({ currentTarget }) => journey.byFolder(currentTarget.checked)}
        />
      ) : (
        <Text size="sm" c="var(--muted)">
          {t('setup.send.oneFolder')}
        </Text>
      )}
    </>
  );
}
