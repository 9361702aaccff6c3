/** Any two versions side by side on the same cells. */
import { Anchor, Group, Select, Text, Title } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import type { ModelList } from '../api/types';
import panels from '../diagnose/Panels.module.css';
import { Compared } from '../parts/Compared';
import training from '../training/Training.module.css';
import { Confusion } from './Confusion';
import { CurvePanel } from './CurvePanel';
import { on, setsOf } from './sets';
import { useSetName } from './useSetName';
import styles from './Versions.module.css';

export function CompareView({ list, pair }: { list: ModelList; pair: string }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const named = useSetName();
  const [first, second] = pair.split(',');
  const chosen = [first, second].flatMap((name) => list.models.find((model) => model.version === name) ?? []);
  const sets = setsOf(chosen);
  const [wanted, setWanted] = useState('gate');
  const set = sets.includes(wanted) ? wanted : (sets[0] ?? 'gate');
  const versions = list.models.map((model) => ({
    value: model.version,
    label: model.served ? `${model.version} (${t('versions.table.served')})` : model.version,
  }));
  const open = (one: string | null | undefined, other: string | null | undefined) =>
    go(`/versions?compare=${one ?? ''},${other ?? ''}`);
  return (
    <>
      <Back />
      <Title order={2}>{t('versions.compare.title')}</Title>
      <div className={`${panels.panel} ${styles.selects}`}>
        <Select
          label={t('versions.compare.first')}
          data={versions}
          value={first ?? null}
          allowDeselect={false}
          onChange={(value) => open(value, second)}
        />
        <Select
          label={t('versions.compare.second')}
          data={versions}
          value={second ?? null}
          allowDeselect={false}
          onChange={(value) => open(first, value)}
        />
        <Select
          label={t('versions.table.set')}
          data={sets.map((name) => ({ value: name, label: named(name) }))}
          value={set}
          allowDeselect={false}
          onChange={(value) => setWanted(value ?? set)}
        />
      </div>
      {chosen.length < 2 || first === second ? (
        <Text role="status">{t('versions.compare.two')}</Text>
      ) : (
        <Both list={list} names={[first ?? '', second ?? '']} set={set} />
      )}
    </>
  );
}

function Both({ list, names, set }: { list: ModelList; names: readonly [string, string]; set: string }) {
  const { t } = useTranslation();
  const who = names.flatMap((name) => {
    const model = list.models.find((one) => one.version === name);
    const metrics = model ? on(model, set) : null;
    return metrics ? [{ name, metrics }] : [];
  });
  return (
    <>
      <div className={training.columns}>
        <section className={panels.panel} aria-label={t('versions.compare.figures')} data-testid="compared">
          <Title order={3} size="h4">
            {t('versions.compare.figures')}
          </Title>
          <Text size="sm" c="var(--muted)" mb="sm">
            {t('versions.compare.what')}
          </Text>
          {who.length < 2 ? <Text mb="sm">{t('versions.compare.missing')}</Text> : null}
          <Compared who={who} />
        </section>
        <section className={panels.panel} aria-label={t('versions.confusion.title')}>
          <Title order={3} size="h4" mb="sm">
            {t('versions.confusion.title')}
          </Title>
          <div className={styles.pair}>
            {who.map(({ name, metrics }) => (
              <Confusion key={name} name={name} metrics={metrics} />
            ))}
          </div>
        </section>
      </div>
      <section className={panels.panel} aria-label={t('versions.curves.title')}>
        <Title order={3} size="h4" mb="sm">
          {t('versions.curves.title')}
        </Title>
        <CurvePanel versions={[names[0], names[1]]} set={set} />
      </section>
    </>
  );
}

export function Back() {
  const { t } = useTranslation();
  return (
    <Anchor component={Link} href="/versions" underline="always">
      <Group gap={6} component="span">
        <IconArrowLeft size="1.1rem" aria-hidden />
        {t('versions.back')}
      </Group>
    </Anchor>
  );
}
