/** All jobs, newest first, each with where it stands and a link. */
import { Button, Group, Loader, Progress, Text, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'wouter';
import type { TaskBrief, TaskList } from '../api/types';
import { useAnswer } from '../api/useAnswer';
import panels from '../diagnose/Panels.module.css';
import { FailureNote } from '../layout/FailureNote';
import { useFigures } from '../parts/figures';
import { useFormat } from '../parts/format';
import { Words } from '../parts/Words';
import styles from './Jobs.module.css';
import { StandingMark } from './Standing';
import { STANDINGS, standingOf } from './standing';
import training from './Training.module.css';

const FIRST = 100;
const MOST = 1000;
const EVERY = 3_000;

export function JobList() {
  const { t } = useTranslation();
  const [search, setSearch] = useSearchParams();
  const limit = search.get('all') === null ? FIRST : MOST;
  const { data, failure, again } = useAnswer<TaskList>(`/retrain/tasks?limit=${limit}`, EVERY);
  const shown = STANDINGS.find((one) => one === search.get('state')) ?? null;
  const tasks = data?.tasks ?? [];
  const passed = tasks.filter((task) => shown === null || standingOf(task) === shown);

  function choose(name: string, value: string | null) {
    setSearch((before) => {
      const next = new URLSearchParams(before);
      if (value === null) next.delete(name);
      else next.set(name, value);
      return next;
    });
  }

  return (
    <section className={`${panels.panel} ${training.column}`} aria-label={t('training.jobs.title')}>
      <Title order={3} size="h4">
        {t('training.jobs.title')}
      </Title>
      {failure ? <FailureNote error={failure} onRetry={again} /> : null}
      {!data && !failure ? <Loader role="status" aria-label={t('training.jobs.loading')} /> : null}
      {data && tasks.length === 0 ? <Text c="var(--muted)">{t('training.jobs.none')}</Text> : null}
      {tasks.length > 0 ? (
        <Filter tasks={tasks} shown={shown} onShow={(state) => choose('state', state)} />
      ) : null}
      {tasks.length > 0 && passed.length === 0 ? <Text>{t('training.jobs.empty')}</Text> : null}
      <ul className={styles.list} data-testid="jobs">
        {passed.map((task) => (
          <JobLine key={task.task_id} task={task} />
        ))}
      </ul>
      {tasks.length === FIRST && limit === FIRST ? (
        <Button variant="default" onClick={() => choose('all', '1')}>
          {t('training.jobs.more')}
        </Button>
      ) : null}
    </section>
  );
}

interface FilterProps {
  tasks: readonly TaskBrief[];
  shown: string | null;
  onShow: (state: string | null) => void;
}

function Filter({ tasks, shown, onShow }: FilterProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const offered = STANDINGS.map((name) => ({
    name,
    count: tasks.filter((task) => standingOf(task) === name).length,
  })).filter(({ name, count }) => count > 0 || name === shown);
  return (
    <fieldset aria-label={t('training.jobs.filter')} className={panels.filters}>
      <FilterButton pressed={shown === null} count={format.count(tasks.length)} onClick={() => onShow(null)}>
        {t('training.jobs.all')}
      </FilterButton>
      {offered.map(({ name, count }) => (
        <FilterButton
          key={name}
          pressed={name === shown}
          count={format.count(count)}
          onClick={() => onShow(name)}
        >
          {t(`training.standings.${name}`)}
        </FilterButton>
      ))}
    </fieldset>
  );
}

function FilterButton(props: {
  pressed: boolean;
  count: string;
  onClick: () => void;
  children: React.ReactNode;
}) {
  return (
    <Button
      size="xs"
      variant={props.pressed ? 'filled' : 'default'}
      aria-pressed={props.pressed}
      onClick={props.onClick}
      rightSection={
        <Text span size="xs">
          {props.count}
        </Text>
      }
    >
      {props.children}
    </Button>
  );
}

function JobLine({ task }: { task: TaskBrief }) {
  const { t } = useTranslation();
  const figures = useFigures();
  const running = task.state === 'running';
  return (
    <li>
      <Link href={`/training?job=${task.task_id}`} className={styles.job}>
        <span className={styles.head}>
          <span className={styles.name}>{task.name}</span>
          <StandingMark job={task} />
        </span>
        {running ? (
          <Progress value={task.percent ?? 0} size="sm" aria-label={t('training.job.progress')} />
        ) : null}
        {task.reason ? (
          <span className={styles.reason}>
            {task.verdict ? (
              t(`training.receipt.means.${task.verdict}`)
            ) : (
              <Words at="training.whys" code={task.code} own={task.reason} />
            )}
          </span>
        ) : null}
        <Group className={styles.more} gap="md">
          <span>{figures.moment(task.created)}</span>
          {task.actor ? <span>{t('training.job.by', { who: task.actor })}</span> : null}
          {task.version ? <span>{task.version}</span> : null}
        </Group>
      </Link>
    </li>
  );
}
