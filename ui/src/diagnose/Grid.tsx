/** Thumbnails by the thousand: only those in view exist. Arrows lead from one to the next, P, U and X judge. */
import { Kbd, Text } from '@mantine/core';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useCallback, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { Trans, useTranslation } from 'react-i18next';
import { useFormat } from '../parts/format';
import { type Row, rowsOf, type Section, type Step, step } from './arrange';
import type { Cell, Decision } from './cell';
import styles from './Grid.module.css';
import { Thumbnail } from './Thumbnail';
import { useDecisionKeys } from './useDecisionKeys';

interface Props<G extends string> {
  sections: Section<G>[];
  heading: (group: G) => string;
  chosen: Cell | null;
  onDecide: (cell: Cell, decision: Decision) => void;
  onChoose: (cell: Cell) => void;
  onOpen: (cell: Cell) => void;
}

const STEPS: Record<string, Step> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
  Home: 'first',
  End: 'last',
};
/** In rem: a thumbnail with its gap, and a heading. */
const CELL = 7;
const HEADING = 3.2;

export function Grid<G extends string>({ sections, heading, chosen, onDecide, onChoose, onOpen }: Props<G>) {
  const { t } = useTranslation();
  const { box, columns, rem, top } = useMeasures();
  const rows = useMemo(() => rowsOf(sections, columns), [sections, columns]);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: (index) => rem * (rows[index]?.kind === 'heading' ? HEADING : CELL),
    overscan: 4,
    scrollMargin: top,
    scrollPaddingStart: 2 * rem,
    scrollPaddingEnd: 2 * rem,
  });
  const decide = useCallback(
    (decision: Decision) => chosen && onDecide(chosen, decision),
    [chosen, onDecide],
  );
  useDecisionKeys(chosen?.answer ? decide : null);

  function press(event: KeyboardEvent) {
    const to = STEPS[event.key];
    if (!to) return;
    event.preventDefault();
    const next = step(rows, chosen?.id ?? null, to);
    if (!next) return;
    onChoose(next);
    virtual.scrollToIndex(rowOf(rows, next));
    focusSoon(next);
  }

  const first = rows.find((row) => row.kind === 'cells')?.cells[0];
  const shown =
    chosen && rows.some((row) => row.kind === 'cells' && row.cells.includes(chosen)) ? chosen : first;
  return (
    <section aria-label={t('grid.label')} className={styles.grid}>
      <Text size="sm" c="var(--muted)" className={styles.hint}>
        <Trans i18nKey="grid.keys" components={{ key: <Kbd size="xs" /> }} />
      </Text>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the thumbnails within are buttons; this only moves between them */}
      <div ref={box} onKeyDown={press} className={styles.space} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const row = rows[item.index];
          return row ? (
            <div
              key={item.key}
              className={styles.row}
              style={{ transform: `translateY(${item.start - top}px)` }}
            >
              <RowView
                row={row}
                heading={heading}
                shown={shown}
                chosen={chosen}
                onChoose={onChoose}
                onOpen={onOpen}
              />
            </div>
          ) : null;
        })}
      </div>
      {rows.length === 0 ? <Text>{t('grid.empty')}</Text> : null}
    </section>
  );
}

interface RowProps<G extends string> extends Omit<Props<G>, 'sections' | 'onDecide'> {
  row: Row<G>;
  shown: Cell | undefined;
}

function RowView<G extends string>({ row, heading, shown, chosen, onChoose, onOpen }: RowProps<G>) {
  const format = useFormat();
  if (row.kind === 'heading') {
    const { group, cells } = row.section;
    return (
      <h3 className={styles.heading}>
        {heading(group)} <span className={styles.count}>{format.count(cells.length)}</span>
      </h3>
    );
  }
  return (
    <div className={styles.cells}>
      {row.cells.map((cell) => (
        <Thumbnail
          key={cell.id}
          cell={cell}
          chosen={cell === chosen}
          reachable={cell === shown}
          onFocus={() => onChoose(cell)}
          onOpen={() => onOpen(cell)}
        />
      ))}
    </div>
  );
}

function rowOf(rows: readonly Row<string>[], cell: Cell): number {
  return rows.findIndex((row) => row.kind === 'cells' && row.cells.includes(cell));
}

/** Once the row is there: scrolling makes it first. */
export function focusSoon(cell: Cell, tries = 10): void {
  requestAnimationFrame(() => {
    const found = document.getElementById(`cell-${cell.id}`);
    if (found) found.focus({ preventScroll: true });
    else if (tries > 0) focusSoon(cell, tries - 1);
  });
}

/** How many thumbnails stand in a row, and how far down the page the grid begins. */
function useMeasures() {
  const box = useRef<HTMLDivElement>(null);
  const [measured, setMeasured] = useState({ columns: 4, rem: 16, top: 0 });
  useLayoutEffect(() => {
    const at = box.current;
    if (!at) return;
    function measure() {
      if (!at) return;
      const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
      const columns = Math.max(2, Math.floor(at.clientWidth / (CELL * rem)));
      const top = at.getBoundingClientRect().top + window.scrollY;
      setMeasured((old) =>
        old.columns === columns && old.rem === rem && old.top === top ? old : { columns, rem, top },
      );
    }
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(at);
    watch.observe(document.body);
    return () => watch.disconnect();
  }, []);
  return { box, ...measured };
}
