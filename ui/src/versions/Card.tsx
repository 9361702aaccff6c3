/** The model card: what it is for, how good it is, and where its limits are, in the server's own words. */
import { Button, Group, Loader, Text, Title } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { download } from '../api/client';
import type { ModelCard } from '../api/types';
import { useAnswer } from '../api/useAnswer';
import panels from '../diagnose/Panels.module.css';
import { FailureNote } from '../layout/FailureNote';
import { save } from '../parts/csv';
import { Markdown } from '../parts/Markdown';
import training from '../training/Training.module.css';

/** Open at first: what everybody should have read. */
const OPEN = ['what', 'use', 'limits'];

export function Card({ version }: { version: string }) {
  const { t } = useTranslation();
  const path = `/models/${encodeURIComponent(version)}/card`;
  const { data, failure, again } = useAnswer<ModelCard>(path);
  return (
    <section className={training.column} aria-label={t('versions.card.title')} data-testid="card">
      <Group justify="space-between">
        <Title order={3}>{t('versions.card.title')}</Title>
        {data ? <SaveButton path={path} version={version} /> : null}
      </Group>
      {failure ? <FailureNote error={failure} onRetry={again} /> : null}
      {!data && !failure ? <Loader role="status" aria-label={t('training.jobs.loading')} /> : null}
      {data?.sections.map((section) => (
        <details key={section.name} className={panels.panel} open={OPEN.includes(section.name)} lang="en">
          <summary>
            <Title order={4} size="h5" display="inline">
              {section.title}
            </Title>
            {section.measured ? null : (
              <Text span size="sm" c="var(--muted)">
                {' '}
                {t('versions.card.unmeasured')}
              </Text>
            )}
          </summary>
          <Markdown text={section.text} />
        </details>
      ))}
    </section>
  );
}

function SaveButton({ path, version }: { path: string; version: string }) {
  const { t } = useTranslation();
  async function take() {
    const card = await download(path, { headers: { Accept: 'text/markdown' } });
    save(`model-card-${version}.md`, 'text/markdown', `> ${t('app.notice')}\n\n${await card.text()}`);
  }
  return (
    <Button
      variant="default"
      leftSection={<IconDownload size="1.1rem" aria-hidden />}
      onClick={() => void take().catch(() => {})}
    >
      {t('versions.card.download')}
    </Button>
  );
}
