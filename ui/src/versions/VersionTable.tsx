/** Every kept version: where it comes from, and its figures with their intervals. */
import { Anchor, Button, Checkbox, Group, Select, Text, Title } from '@mantine/core';
import { IconArrowsDiff, IconArrowUp, IconCircleCheck } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import type { ModelList, ModelSummary } from '../api/types';
import panels from '../diagnose/Panels.module.css';
import { useFigures } from '../parts/figures';
import { type Figure, figureOf, KINDS } from '../parts/metrics';
import training from '../training/Training.module.css';
import { type Change, ChangeDialog } from './ChangeDialog';
import { lineageOf, on, setsOf } from './sets';
import { useSetName } from './useSetName';
import styles from './Versions.module.css';

const SHOWN: readonly Figure[] = ['sensitivity', 'specificity', 'auc'];

export function VersionTable({ list, onChanged }: { list: ModelList; onChanged: () => void }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const sets = setsOf(list.models);
  const named = useSetName();
  const [set, setSet] = useState(sets[0] ?? 'gate');
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [change, setChange] = useState<Change | null>(null);
  const toggle = (version: string) =>
    setChosen((now) =>
      now.includes(version) ? now.filter((one) => one !== version) : [...now, version].slice(-2),
    );
  return (
    <section className={`${panels.panel} ${training.column}`} aria-label={t('versions.table.title')}>
      <div className={styles.bar}>
        <Title order={3} size="h4">
          {t('versions.table.title')}
        </Title>
        <Group align="end">
          <Select
            label={t('versions.table.set')}
            value={set}
            onChange={(value) => setSet(value ?? set)}
            allowDeselect={false}
            data={sets.map((name) => ({ value: name, label: named(name) }))}
          />
          <Button
            variant="default"
            leftSection={<IconArrowsDiff size="1.1rem" aria-hidden />}
            disabled={chosen.length !== 2}
            onClick={() => go(`/versions?compare=${[...chosen].sort().join(',')}`)}
          >
            {t('versions.table.compare')}
          </Button>
        </Group>
      </div>
      <Text size="sm" c="var(--muted)">
        {t('versions.table.what')}
      </Text>
      <table className={styles.table} data-testid="versions">
        <thead>
          <tr>
            <th scope="col">{t('versions.table.pick')}</th>
            <th scope="col">{t('versions.table.version')}</th>
            <th scope="col">{t('versions.table.made')}</th>
            {SHOWN.map((name) => (
              <th scope="col" key={name}>
                {t(`figures.${name}`)}
              </th>
            ))}
            <th scope="col">{t('versions.table.serve')}</th>
          </tr>
        </thead>
        <tbody>
          {list.models.map((model) => (
            <VersionRow
              key={model.version}
              model={model}
              set={set}
              picked={chosen.includes(model.version)}
              onPick={() => toggle(model.version)}
              onPromote={() => setChange({ kind: 'promote', version: model.version })}
            />
          ))}
        </tbody>
      </table>
      <ChangeDialog what={change} onClose={() => setChange(null)} onChanged={onChanged} />
    </section>
  );
}

interface RowProps {
  model: ModelSummary;
  set: string;
  picked: boolean;
  onPick: () => void;
  onPromote: () => void;
}

function VersionRow({ model, set, picked, onPick, onPromote }: RowProps) {
  const { t } = useTranslation();
  return (
    <tr data-served={model.served || undefined} data-testid={`version-${model.version}`}>
      <td>
        <Checkbox
          checked={picked}
          onChange={onPick}
          aria-label={t('versions.table.pickOne', { version: model.version })}
        />
      </td>
      <td className={styles.wide}>
        <Anchor component={Link} href={`/versions?version=${model.version}`} fw={600} underline="always">
          {model.version}
        </Anchor>
        {model.served ? (
          <>
            {' '}
            <span className={styles.served}>
              <IconCircleCheck size="1rem" aria-hidden />
              {t('versions.table.served')}
            </span>
          </>
        ) : null}
      </td>
      <td data-label={t('versions.table.made')}>
        <Made model={model} />
      </td>
      {SHOWN.map((name) => (
        <FigureCell key={name} model={model} set={set} name={name} />
      ))}
      <td className={styles.wide}>
        {model.served ? null : (
          <Button
            size="compact-md"
            variant="default"
            leftSection={<IconArrowUp size="1rem" aria-hidden />}
            onClick={onPromote}
            aria-label={t('versions.change.promoteOne', { version: model.version })}
          >
            {t('versions.change.promote')}
          </Button>
        )}
      </td>
    </tr>
  );
}

function Made({ model }: { model: ModelSummary }) {
  const { t } = useTranslation();
  const figures = useFigures();
  const { parent } = lineageOf(model);
  return (
    <>
      {figures.day(model.created)}
      <Text size="sm" c="var(--muted)">
        <MethodName model={model} />
        {parent ? (
          <>
            {' '}
            {t('versions.table.from')}{' '}
            <Anchor component={Link} href={`/versions?version=${parent}`} size="sm" underline="always">
              {parent}
            </Anchor>
          </>
        ) : null}
      </Text>
    </>
  );
}

export function MethodName({ model }: { model: ModelSummary }) {
  const { t, i18n } = useTranslation();
  const { method } = lineageOf(model);
  const key = `versions.methods.${method}`;
  return <>{i18n.exists(key) ? t(key as 'versions.methods.adapt') : method}</>;
}

function FigureCell({ model, set, name }: { model: ModelSummary; set: string; name: Figure }) {
  const { t } = useTranslation();
  const figures = useFigures();
  const metrics = on(model, set);
  const { value, interval } = metrics ? figureOf(metrics, name) : { value: null, interval: null };
  return (
    <td className={styles.figure} data-label={t(`figures.${name}`)}>
      <b>{figures.value(value, KINDS[name])}</b>
      <small>{figures.between(interval, KINDS[name])}</small>
    </td>
  );
}
