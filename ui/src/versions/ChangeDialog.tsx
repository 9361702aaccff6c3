/** Changing what is served takes a name and a reason: both stay in the log for ever. */
import { Button, Group, Modal, Select, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ModelSummary } from '../api/types';
import { promote, rollBack } from '../api/versions';
import { FailureNote } from '../layout/FailureNote';
import { useFigures } from '../parts/figures';

export type Change =
  | { kind: 'promote'; version: string }
  /** before: versions served before, the last first. */
  | { kind: 'rollBack'; before: readonly ModelSummary[] };

interface Props {
  what: Change | null;
  onClose: () => void;
  onChanged: () => void;
}

export function ChangeDialog({ what, onClose, onChanged }: Props) {
  const { t } = useTranslation();
  return (
    <Modal
      opened={what !== null}
      onClose={onClose}
      title={t(what?.kind === 'promote' ? 'versions.change.promoteTitle' : 'versions.change.rollBackTitle')}
      lockScroll={false}
      withCloseButton={false}
    >
      {what ? <ChangeForm what={what} onClose={onClose} onChanged={onChanged} /> : null}
    </Modal>
  );
}

function ChangeForm({ what, onClose, onChanged }: Props & { what: Change }) {
  const { t } = useTranslation();
  const [version, setVersion] = useState(
    what.kind === 'promote' ? what.version : (what.before[0]?.version ?? ''),
  );
  const [actor, setActor] = useState(remembered);
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const ready = actor.trim() !== '' && reason.trim() !== '' && version !== '';

  async function change(event: FormEvent) {
    event.preventDefault();
    if (!ready) return;
    setBusy(true);
    setError(null);
    const why = { actor: actor.trim(), reason: reason.trim() };
    remember(why.actor);
    try {
      const done = await (what.kind === 'promote' ? promote(version, why) : rollBack(version, why));
      onClose();
      const taken = done.served === version;
      notifications.show({
        color: taken ? 'teal' : 'red',
        autoClose: taken ? 8_000 : false,
        message: t(taken ? 'versions.change.done' : 'versions.change.notTaken', { version }),
      });
    } catch (problem) {
      setError(problem);
      setBusy(false);
    } finally {
      onChanged();
    }
  }

  return (
    <form onSubmit={(event) => void change(event)}>
      <Stack>
        <Text>
          {t(what.kind === 'promote' ? 'versions.change.promoteWhat' : 'versions.change.rollBackWhat', {
            version,
          })}
        </Text>
        {what.kind === 'rollBack' ? (
          <Before before={what.before} version={version} onChoose={setVersion} />
        ) : null}
        <TextInput
          label={t('versions.change.who')}
          value={actor}
          maxLength={200}
          required
          data-autofocus
          onChange={(event) => setActor(event.currentTarget.value)}
        />
        <Textarea
          label={t('versions.change.why')}
          description={t('versions.change.whyHelp')}
          value={reason}
          maxLength={1000}
          minRows={2}
          required
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {error ? <FailureNote error={error} /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('versions.change.leave')}
          </Button>
          <Button type="submit" loading={busy} disabled={!ready}>
            {t(what.kind === 'promote' ? 'versions.change.promote' : 'versions.change.rollBack')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Before(props: {
  before: readonly ModelSummary[];
  version: string;
  onChoose: (version: string) => void;
}) {
  const { t } = useTranslation();
  const figures = useFigures();
  return (
    <Select
      label={t('versions.change.to')}
      value={props.version}
      onChange={(value) => props.onChoose(value ?? '')}
      allowDeselect={false}
      data={props.before.map((model) => ({
        value: model.version,
        label: `${model.version} (${figures.day(model.promoted[0] ?? model.created)})`,
      }))}
    />
  );
}

/** Who changes things, for this tab only. */
const PLACE = 'malaria.actor';

function remembered(): string {
  try {
    return sessionStorage.getItem(PLACE) ?? '';
  } catch {
    return ''; // storage may be forbidden; it is typed again
  }
}

function remember(actor: string): void {
  try {
    sessionStorage.setItem(PLACE, actor);
  } catch {
    // it is typed again
  }
}
