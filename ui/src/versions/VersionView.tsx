/** One version: what it is, where it comes from, how good it is, and its card. */
import { Anchor, Button, Group, Select, Stack, Text, Title } from '@mantine/core';
import { IconArrowsDiff, IconArrowUp, IconCircleCheck, IconVersions } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { ModelList, ModelSummary } from '../api/types';
import panels from '../diagnose/Panels.module.css';
import { Compared } from '../parts/Compared';
import { Facts } from '../parts/Facts';
import { useFigures } from '../parts/figures';
import { useFormat } from '../parts/format';
import training from '../training/Training.module.css';
import { Card } from './Card';
import { ChangeDialog } from './ChangeDialog';
import { Back } from './CompareView';
import { Confusion } from './Confusion';
import { CurvePanel } from './CurvePanel';
import { chainOf, lineageOf, on, setsOf } from './sets';
import { useSetName } from './useSetName';
import styles from './Versions.module.css';
import { MethodName } from './VersionTable';

interface Props {
  list: ModelList;
  version: string;
  onChanged: () => void;
}

export function VersionView({ list, version, onChanged }: Props) {
  const { t } = useTranslation();
  const model = list.models.find((one) => one.version === version);
  return (
    <>
      <Back />
      {model ? (
        <Told list={list} model={model} onChanged={onChanged} />
      ) : (
        <>
          <Title order={2} className={training.breaks}>
            {version}
          </Title>
          <Text>{t('versions.version.gone')}</Text>
          <Card version={version} />
        </>
      )}
    </>
  );
}

function Told({ list, model, onChanged }: { list: ModelList; model: ModelSummary; onChanged: () => void }) {
  const { t } = useTranslation();
  const sets = setsOf([model]);
  const [set, setSet] = useState(sets[0] ?? '');
  return (
    <>
      <Head list={list} model={model} onChanged={onChanged} />
      <div className={training.columns}>
        <div className={training.column}>
          <Figures model={model} sets={sets} set={set} onSet={setSet} />
        </div>
        <div className={training.column}>
          <Known model={model} />
          <Lineage model={model} models={list.models} />
        </div>
      </div>
      <section className={panels.panel} aria-label={t('versions.curves.title')}>
        <Title order={3} size="h4" mb="sm">
          {t('versions.curves.title')}
        </Title>
        <CurvePanel versions={[model.version]} set={set} />
      </section>
      <Card version={model.version} />
    </>
  );
}

function Head({ list, model, onChanged }: { list: ModelList; model: ModelSummary; onChanged: () => void }) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  return (
    <Group justify="space-between" align="start">
      <Stack gap={6} align="flex-start">
        <Title order={2} className={training.breaks}>
          {model.version}
        </Title>
        {model.served ? (
          <span className={styles.served}>
            <IconCircleCheck size="1rem" aria-hidden />
            {t('versions.table.served')}
          </span>
        ) : null}
      </Stack>
      {model.served ? null : (
        <Group gap="xs">
          {list.served ? (
            <Button
              component={Link}
              href={`/versions?compare=${list.served},${model.version}`}
              variant="default"
              leftSection={<IconArrowsDiff size="1.1rem" aria-hidden />}
            >
              {t('versions.version.compare')}
            </Button>
          ) : null}
          <Button leftSection={<IconArrowUp size="1.1rem" aria-hidden />} onClick={() => setAsking(true)}>
            {t('versions.change.promote')}
          </Button>
        </Group>
      )}
      <ChangeDialog
        what={asking ? { kind: 'promote', version: model.version } : null}
        onClose={() => setAsking(false)}
        onChanged={onChanged}
      />
    </Group>
  );
}

function Known({ model }: { model: ModelSummary }) {
  const { t } = useTranslation();
  const figures = useFigures();
  const facts: [string, string | null][] = [
    [t('versions.version.network'), model.network],
    [t('versions.version.input'), t('versions.version.pixels', { side: model.input_size })],
    [t('versions.version.size'), figures.value(model.size_bytes, 'bytes')],
    [t('versions.version.made'), figures.moment(model.created)],
    [t('versions.version.threshold'), figures.value(model.threshold, 'share')],
    [
      t('versions.version.review'),
      model.review ? figures.between([model.review.low, model.review.high], 'share') : null,
    ],
    [t('versions.version.digest'), model.digest],
  ];
  return <Facts title={t('versions.version.facts')} facts={facts} />;
}

function Lineage({ model, models }: { model: ModelSummary; models: readonly ModelSummary[] }) {
  const { t } = useTranslation();
  const figures = useFigures();
  const chain = chainOf(model, models);
  const last = lineageOf(chain.at(-1) ?? model);
  return (
    <section className={panels.panel} aria-label={t('versions.lineage.title')} data-testid="lineage">
      <Title order={3} size="h4" mb="sm">
        {t('versions.lineage.title')}
      </Title>
      <ol className={styles.chain}>
        {chain.map((one) => (
          <li key={one.version}>
            <IconVersions size="1.2rem" color="var(--accent)" aria-hidden />
            <div>
              <Anchor component={Link} href={`/versions?version=${one.version}`} fw={600} underline="always">
                {one.version}
              </Anchor>
              <Text size="sm" c="var(--muted)">
                <MethodName model={one} />, {figures.day(one.created)}
                {lineageOf(one).job ? (
                  <>
                    {', '}
                    <Anchor
                      component={Link}
                      href={`/training?job=${lineageOf(one).job}`}
                      size="sm"
                      underline="always"
                    >
                      {t('versions.lineage.job')}
                    </Anchor>
                  </>
                ) : null}
              </Text>
            </div>
          </li>
        ))}
      </ol>
      {last.parent ? (
        <Text size="sm" c="var(--muted)" mt="sm">
          {t('versions.lineage.further', { version: last.parent })}
        </Text>
      ) : null}
    </section>
  );
}

interface FiguresProps {
  model: ModelSummary;
  sets: readonly string[];
  set: string;
  onSet: (set: string) => void;
}

function Figures({ model, sets, set, onSet }: FiguresProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const named = useSetName();
  const metrics = on(model, set);
  return (
    <section className={`${panels.panel} ${training.column}`} aria-label={t('versions.version.figures')}>
      <div className={styles.bar}>
        <Title order={3} size="h4">
          {t('versions.version.figures')}
        </Title>
        <Select
          label={t('versions.table.set')}
          data={sets.map((name) => ({ value: name, label: named(name) }))}
          value={set}
          allowDeselect={false}
          onChange={(value) => onSet(value ?? set)}
        />
      </div>
      {metrics ? (
        <>
          <Text size="sm" c="var(--muted)">
            {t('versions.version.cells', {
              cells: format.count(metrics.cells),
              parasitized: format.count(metrics.parasitized),
              patients: format.count(metrics.patients),
            })}
          </Text>
          <Compared who={[{ name: model.version, metrics }]} />
          <Confusion name={t('versions.confusion.title')} metrics={metrics} />
        </>
      ) : (
        <Text>{t('versions.version.unmeasured')}</Text>
      )}
    </section>
  );
}
