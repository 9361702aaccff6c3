/** Many cells: how far they are, what they come to, and a grid to look them through. */
import { useMediaQuery } from '@mantine/hooks';
import { useMemo, useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { CollectHint } from '../review/CollectHint';
import { arrange, type Filter } from './arrange';
import { CellPanel } from './CellPanel';
import { CellView } from './CellView';
import type { Cell } from './cell';
import { Grid } from './Grid';
import styles from './Many.module.css';
import { ProgressLine } from './ProgressLine';
import type { Run } from './run';
import { SummaryCard } from './SummaryCard';
import { sessions } from './session';
import { summarise } from './summary';
import { Toolbar } from './Toolbar';

interface Props {
  run: Run;
}

export default function Many({ run }: Props) {
  const { t } = useTranslation();
  const version = useSyncExternalStore(run.subscribe, run.snapshot);
  const [filter, setFilter] = useState<Filter>('all');
  const [chosen, setChosen] = useState<Cell | null>(null);
  const [open, setOpen] = useState(false);
  const wide = useMediaQuery('(min-width: 70rem)', true, { getInitialValueInEffect: false }) ?? true;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the cells change in place, and the version says so
  const summary = useMemo(() => summarise(run.cells), [run, version]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  const sections = useMemo(() => arrange(run.cells, filter), [run, filter, version]);
  return (
    <div className={styles.many}>
      <ProgressLine run={run} />
      <SummaryCard summary={summary} run={run} />
      <Toolbar run={run} summary={summary} filter={filter} onFilter={setFilter} />
      {summary.decided > 0 ? <CollectHint /> : null}
      <div className={styles.body}>
        <Grid
          sections={sections}
          heading={(group) => t(`group.${group}`)}
          chosen={chosen}
          onDecide={sessions.decide}
          onChoose={setChosen}
          onOpen={(cell) => {
            setChosen(cell);
            setOpen(true);
          }}
        />
        <CellPanel
          title={t('panel.title')}
          empty={t('panel.empty')}
          wide={wide}
          open={open}
          onClose={() => setOpen(false)}
        >
          {chosen ? <CellView key={chosen.id} cell={chosen} narrow /> : null}
        </CellPanel>
      </div>
    </div>
  );
}
