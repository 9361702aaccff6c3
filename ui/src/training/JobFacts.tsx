/** What a job was asked, by whom, and what it is known by. */
import { useTranslation } from 'react-i18next';
import type { Task } from '../api/types';
import { Facts } from '../parts/Facts';
import { useFigures } from '../parts/figures';

export function JobFacts({ job }: { job: Task }) {
  const { t } = useTranslation();
  const figures = useFigures();
  const { options } = job;
  const facts: [string, string | number | null | undefined][] = [
    [t('training.facts.sent'), figures.moment(job.created)],
    [t('training.facts.by'), job.actor],
    [t('training.options.method'), t(`training.methods.${options.method}.name`)],
    [t('training.options.epochs'), options.epochs],
    [t('training.options.batch_size'), options.batch_size],
    [t('training.options.learning_rate'), options.learning_rate],
    [t('training.options.network'), options.network],
    [t('training.options.note'), options.note],
    [t('training.facts.champion'), job.champion],
    [t('training.facts.version'), job.version],
    [t('training.facts.attempt'), job.attempt > 1 ? job.attempt : null],
    [t('training.facts.id'), job.task_id],
    [t('training.facts.dataset'), job.dataset ? `${job.dataset.slice(0, 16)}…` : null],
  ];
  return <Facts title={t('training.facts.title')} facts={facts} />;
}
