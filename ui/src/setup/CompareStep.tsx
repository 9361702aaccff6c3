/** Before and after on the laboratory's own cells that nothing was learnt from; the gate's word; and what to do. */
import { Anchor, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { Advised, Task } from '../api/types';
import panels from '../diagnose/Panels.module.css';
import { useAddress } from '../diagnose/Picture';
import { useFormat } from '../parts/format';
import type { Rate } from '../parts/interval';
import { layout } from '../parts/labelledZip';
import { useNeeds } from '../parts/Needs';
import { Advice, WhyVerdict } from '../training/Why';
import { Choose } from './Choose';
import { journey } from './journey';
import { type Judged, judgedOf, type MovedCell, movedOf } from './judged';
import styles from './Setup.module.css';

export function CompareStep({ task }: { task: Task }) {
  const { t } = useTranslation();
  const judged = judgedOf(task.receipt);
  const nothing = !task.version;
  return (
    <>
      <section className={`${panels.panel} ${styles.panel}`} aria-label={t('setup.compare.title')}>
        <h3 className={styles.big} data-testid="verdict">
          {t(nothing ? 'setup.compare.unlearnt' : `setup.compare.${task.verdict ?? 'undecidable'}`)}
        </h3>
        <WhyVerdict job={task} />
        {task.receipt.advice ? (
          <Advice
            advised={task.receipt.advised as Advised[] | undefined}
            text={String(task.receipt.advice)}
          />
        ) : null}
        <Anchor component={Link} href={`/training?job=${task.task_id}`} underline="always">
          {t('setup.compare.receipt')}
        </Anchor>
      </section>
      <section className={`${panels.panel} ${styles.panel}`} aria-label={t('setup.compare.own')}>
        <h3 className={styles.big}>{t('setup.compare.own')}</h3>
        {judged ? <Sides judged={judged} /> : <Text>{t('setup.compare.noneApart')}</Text>}
        <Moved moved={movedOf(task.receipt)} />
      </section>
      <Choose task={task} />
    </>
  );
}

function Sides({ judged }: { judged: Judged }) {
  const { t } = useTranslation();
  const format = useFormat();
  const needs = useNeeds();
  const { parasitized, uninfected, before, after } = judged;
  const few =
    needs &&
    (parasitized + uninfected < needs.judged_cells || Math.min(parasitized, uninfected) < needs.judged_each);
  return (
    <>
      <Text data-testid="apart">
        {t('setup.compare.apart', {
          count: parasitized + uninfected,
          parasitized: format.count(parasitized),
          uninfected: format.count(uninfected),
        })}
      </Text>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">{t('setup.compare.of')}</th>
            <th scope="col">{t('setup.compare.before')}</th>
            <th scope="col">{t('setup.compare.after')}</th>
          </tr>
        </thead>
        <tbody>
          {(['sensitivity', 'specificity', 'right'] as const).map((name) => (
            <tr key={name}>
              <th scope="row">{t(`setup.compare.${name}`)}</th>
              <td data-name={t('setup.compare.before')}>
                <Share rate={before[name]} />
              </td>
              <td data-name={t('setup.compare.after')}>
                <Share rate={after[name]} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {few ? <Text fw={550}>{t('setup.compare.few')}</Text> : null}
      <Text size="sm" c="var(--muted)">
        {t('setup.compare.hard')}
      </Text>
    </>
  );
}

function Share({ rate }: { rate: Rate | null }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (!rate) return t('setup.compare.noCell');
  return (
    <>
      <span className={styles.rate}>{t('setup.compare.share', { hits: rate.hits, total: rate.total })}</span>
      <span className={styles.muted}>
        {t('setup.compare.interval', {
          value: format.percent(rate.value),
          low: format.percent(rate.low),
          high: format.percent(rate.high),
        })}
      </span>
    </>
  );
}

/** The cells behind the difference, to be looked at. */
function Moved({ moved }: { moved: MovedCell[] }) {
  const { t } = useTranslation();
  if (moved.length === 0) return <Text>{t('setup.compare.alike')}</Text>;
  const names = new Map(layout(journey.labelled).map(({ path, cell }) => [path, cell.name]));
  return (
    <ul className={styles.moved} aria-label={t('setup.compare.moved')}>
      {moved.map(({ name, gained }) => (
        <li key={name}>
          <MovedPicture name={names.get(name) ?? name} />
          {t(gained ? 'setup.compare.gained' : 'setup.compare.lost')}
        </li>
      ))}
    </ul>
  );
}

function MovedPicture({ name }: { name: string }) {
  const cell = journey.cells.find((one) => one.name === name);
  return cell ? <Shown cell={cell} /> : <span className={styles.muted}>{name}</span>;
}

function Shown({ cell }: { cell: NonNullable<ReturnType<typeof journey.cellOf>> }) {
  const { address } = useAddress(cell);
  return address ? <img src={address} alt={cell.name} /> : null;
}
