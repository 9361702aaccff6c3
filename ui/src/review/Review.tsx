/** What was said of cells on Diagnose: looked through again, taken away, sent to retraining, told to the server. */
import { Alert, Anchor, Button, Group, Loader, Text, Title } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconAlertTriangle, IconArrowBackUp } from '@tabler/icons-react';
import { useCallback, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { arrange, type Section } from '../diagnose/arrange';
import { CellPanel } from '../diagnose/CellPanel';
import type { Cell, Decision } from '../diagnose/cell';
import { focusSoon, Grid } from '../diagnose/Grid';
import many from '../diagnose/Many.module.css';
import panels from '../diagnose/Panels.module.css';
import { useFormat } from '../parts/format';
import wrap from '../parts/Wrap.module.css';
import { Away } from './Away';
import { BatchCard } from './BatchCard';
import { collection } from './collection';
import { KeptCard } from './KeptCard';
import { LabelView } from './LabelView';
import { isClass, KINDS, type Kind, kindOf, type Label } from './label';
import { outbox } from './outbox';
import styles from './Review.module.css';
import { cellFor, labelOf } from './shown';
import { ToldCard } from './ToldCard';
import { useLabels, useUnkept } from './useCollection';

export default function Review() {
  const { t } = useTranslation();
  const labels = useLabels();
  const unkept = useUnkept();
  return (
    <div className={`${styles.review} ${wrap.wrap}`}>
      <div>
        <Title order={2}>{t('review.title')}</Title>
        <Text size="lg" c="var(--muted)" maw="50rem">
          {t('review.what')}
        </Text>
      </div>
      {unkept ? (
        <Alert
          color="red"
          variant="outline"
          role="alert"
          icon={<IconAlertTriangle aria-hidden />}
          title={t('review.unkept.title')}
        >
          {t('review.unkept.todo')}
        </Alert>
      ) : null}
      {labels === null && !unkept ? <Loader role="progressbar" aria-label={t('review.reading')} /> : null}
      {labels ? <Kept labels={labels} /> : null}
    </div>
  );
}

function Kept({ labels }: { labels: readonly Label[] }) {
  const { t } = useTranslation();
  return (
    <>
      <div className={styles.cards}>
        <KeptCard labels={labels} />
        <ToldCard labels={labels} />
        <BatchCard labels={labels} />
      </div>
      {labels.length === 0 ? (
        <section className={panels.panel}>
          <Text>
            {t('review.empty')}{' '}
            <Anchor component={Link} href="/diagnose" underline="always">
              {t('review.toDiagnose')}
            </Anchor>
          </Text>
        </section>
      ) : (
        <section className={`${panels.panel} ${styles.card}`} aria-label={t('review.away.title')}>
          <h3 className={styles.heading}>{t('review.away.title')}</h3>
          <Away labels={labels} />
        </section>
      )}
      <Looking labels={labels} />
    </>
  );
}

type Filter = 'all' | Kind;

function Looking({ labels }: { labels: readonly Label[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [filter, setFilter] = useState<Filter>('all');
  const [chosen, setChosen] = useState<Cell | null>(null);
  const [open, setOpen] = useState(false);
  const [out, setOut] = useState<readonly Label[]>([]);
  const wide = useMediaQuery('(min-width: 70rem)', true, { getInitialValueInEffect: false }) ?? true;
  const sections = useMemo(() => sectionsOf(labels, filter), [labels, filter]);
  const current = chosen && labels.find(({ id }) => id === labelOf(chosen)?.id);

  const decide = useCallback(
    (cell: Cell, decision: Decision) => {
      const label = labelOf(cell);
      if (!label) return;
      if (isClass(decision)) {
        if (label.label !== decision) void collection.change([label.id], { label: decision });
        outbox.soon();
        return;
      }
      const next = after(sections, cell);
      setOut((taken) => [...taken, label]);
      setChosen(next);
      setOpen(false);
      void collection.takeOut(label.id).then(() => next && focusSoon(next));
    },
    [sections],
  );
  const back = () => {
    const last = out.at(-1);
    if (!last) return;
    setOut(out.slice(0, -1));
    void collection.bringBack(last).then(() => outbox.soon());
  };

  if (labels.length === 0 && out.length === 0) return null;
  return (
    <>
      <Group justify="space-between">
        <fieldset aria-label={t('filter.label')} className={panels.filters}>
          {(['all', ...KINDS] as const).map((name) => (
            <Button
              key={name}
              variant={name === filter ? 'filled' : 'default'}
              aria-pressed={name === filter}
              onClick={() => setFilter(name)}
              rightSection={
                <Text span size="sm">
                  {format.count(labels.filter((label) => name === 'all' || kindOf(label) === name).length)}
                </Text>
              }
            >
              {t(`review.kinds.${name}`)}
            </Button>
          ))}
        </fieldset>
        <Button
          variant="default"
          leftSection={<IconArrowBackUp size="1.1rem" aria-hidden />}
          disabled={out.length === 0}
          onClick={back}
        >
          {t('review.bringBack')}
        </Button>
      </Group>
      <div className={many.body}>
        <Grid
          sections={sections}
          heading={(group) => t(`group.${group}`)}
          chosen={chosen}
          onDecide={decide}
          onChoose={setChosen}
          onOpen={(cell) => {
            setChosen(cell);
            setOpen(true);
          }}
        />
        <CellPanel
          title={t('panel.title')}
          empty={t('review.panel.empty')}
          wide={wide}
          open={open}
          onClose={() => setOpen(false)}
        >
          {chosen && current ? (
            <LabelView key={current.id} cell={chosen} label={current} onDecide={decide} />
          ) : null}
        </CellPanel>
      </div>
    </>
  );
}

/** By what the model called them, as on Diagnose, so that nothing jumps when a label is changed. */
function sectionsOf(labels: readonly Label[], filter: Filter): Section[] {
  return arrange(labels.filter((label) => filter === 'all' || kindOf(label) === filter).map(cellFor), 'all');
}

/** The cell that comes to stand where this one is taken out. */
function after(sections: readonly Section[], cell: Cell): Cell | null {
  const all = sections.flatMap(({ cells }) => cells);
  const place = all.indexOf(cell);
  return all[place + 1] ?? all[place - 1] ?? null;
}
