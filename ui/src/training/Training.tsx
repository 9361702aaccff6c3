/** Retraining: bring labelled cells, see what became of each upload, and why. */
import { Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'wouter';
import { JobList } from './JobList';
import { JobView } from './JobView';
import styles from './Training.module.css';
import { Upload } from './Upload';

export default function Training() {
  const { t } = useTranslation();
  const [search] = useSearchParams();
  const job = search.get('job');
  if (job) return <JobView key={job} id={job} />;
  return (
    <div className={styles.screen}>
      <Title order={2}>{t('training.title')}</Title>
      <div className={styles.columns}>
        <Upload />
        <JobList />
      </div>
    </div>
  );
}
