/** What the model learnt from, and what a person's own labelled cells are like. */
import { SegmentedControl, Stack, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { FeatureMap, ServedModel } from '../api/types';
import { useAnswer } from '../api/useAnswer';
import { useQuery } from '../parts/useQuery';
import styles from './Data.module.css';
import { Learnt } from './Learnt';
import { Mine } from './Mine';

export default function Data() {
  const { t } = useTranslation();
  const [of, choose] = useQuery('of');
  const model = useAnswer<ServedModel>('/model/info');
  const version = model.data?.version;
  const map = useAnswer<FeatureMap>(version ? `/models/${version}/map` : null);
  const told = model.failure ? { ...map, failure: model.failure, again: model.again } : map;
  return (
    <Stack gap="lg" className={styles.screen}>
      <div className={styles.top}>
        <Title order={2}>{t('data.title')}</Title>
        <SegmentedControl
          aria-label={t('data.choose')}
          data={[
            { value: 'learnt', label: t('data.learnt') },
            { value: 'mine', label: t('data.mine') },
          ]}
          value={of === 'mine' ? 'mine' : 'learnt'}
          onChange={(value) => choose(value === 'mine' ? 'mine' : null)}
        />
      </div>
      {of === 'mine' ? <Mine map={told.data} /> : <Learnt map={told} />}
    </Stack>
  );
}
