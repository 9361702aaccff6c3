/** The kept models: which is served, how good each is, and changing that. */
import { Loader, Stack, Text, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'wouter';
import panels from '../diagnose/Panels.module.css';
import { FailureNote } from '../layout/FailureNote';
import training from '../training/Training.module.css';
import { CompareView } from './CompareView';
import { History } from './History';
import { Overtime } from './Overtime';
import { ServedCard } from './ServedCard';
import { useVersions } from './useVersions';
import { VersionTable } from './VersionTable';
import { VersionView } from './VersionView';

export default function Versions() {
  const { t } = useTranslation();
  const [search] = useSearchParams();
  const { data, failure, again } = useVersions();
  const [version, compare] = [search.get('version'), search.get('compare')];
  return (
    <div className={training.screen}>
      {version || compare ? null : <Title order={2}>{t('versions.title')}</Title>}
      {failure ? <FailureNote error={failure} onRetry={again} /> : null}
      {!data && !failure ? <Loader role="status" aria-label={t('training.jobs.loading')} /> : null}
      {data && compare ? <CompareView list={data} pair={compare} /> : null}
      {data && version && !compare ? (
        <VersionView key={version} list={data} version={version} onChanged={again} />
      ) : null}
      {data && !version && !compare ? (
        <>
          <ServedCard list={data} onChanged={again} />
          <VersionTable list={data} onChanged={again} />
          <div className={training.columns}>
            <Overtime models={data.models} />
            <section className={panels.panel} aria-label={t('versions.history.title')}>
              <Stack gap="xs" mb="md">
                <Title order={3} size="h4">
                  {t('versions.history.title')}
                </Title>
                <Text size="sm" c="var(--muted)">
                  {t('versions.history.what')}
                </Text>
              </Stack>
              <History promotions={data.promotions} />
            </section>
          </div>
        </>
      ) : null}
    </div>
  );
}
