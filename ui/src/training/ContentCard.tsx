/** What is in an upload, before anything is sent. */
import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconArrowLeft, IconInfoCircle, IconX } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { MARKS } from '../diagnose/marks';
import panels from '../diagnose/Panels.module.css';
import { useFormat } from '../parts/format';
import { CLASSES, type Class, type Content, type Finding, usable, useless } from './content';
import { desk } from './desk';
import { type Sample, sampled } from './pictures';
import { Strip } from './Strip';
import styles from './Training.module.css';

export function ContentCard({ content }: { content: Content }) {
  const { t } = useTranslation();
  const format = useFormat();
  const sample = useSample(content);
  return (
    <section className={panels.panel} aria-label={t('training.content.title')} data-testid="content">
      <Stack>
        <Group justify="space-between" align="start">
          <div className={styles.breaks}>
            <Title order={3} size="h4">
              {content.name}
            </Title>
            <Text size="sm" c="var(--muted)">
              {t(content.zip ? 'training.content.zip' : 'training.content.folder', {
                count: content.files.length,
                bytes: format.bytes(content.bytes),
              })}
            </Text>
          </div>
          <Button
            variant="default"
            leftSection={<IconArrowLeft size="1.1rem" aria-hidden />}
            onClick={desk.clear}
          >
            {t('training.content.other')}
          </Button>
        </Group>
        {usable(content) ? <Numbers content={content} sample={sample} /> : null}
        <Findings content={content} />
        {sample
          ? CLASSES.filter((label) => sample.shown[label].length > 0).map((label) => (
              <Strip key={label} label={label} sources={sample.shown[label]} />
            ))
          : null}
      </Stack>
    </section>
  );
}

function useSample(content: Content): Sample | null {
  const [sample, setSample] = useState<Sample | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    setSample(null);
    void sampled(content, stop.signal).then((found) => {
      if (!stop.signal.aborted) setSample(found);
    });
    return () => stop.abort();
  }, [content]);
  return sample;
}

function Numbers({ content, sample }: { content: Content; sample: Sample | null }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <dl className={styles.numbers}>
      {CLASSES.map((label) => (
        <ClassNumber key={label} label={label} count={format.count(content.pictures[label].length)} />
      ))}
      <div>
        <dt>{t('training.content.patients')}</dt>
        <dd className={styles.figure}>{format.count(content.patients)}</dd>
        <dd className={styles.note}>
          {t(content.tabled ? 'training.content.byTable' : 'training.content.byName')}
          {content.unknown > 0
            ? `; ${t('training.content.unknown', { count: content.unknown, cells: format.count(content.unknown) })}`
            : ''}
        </dd>
      </div>
      <div>
        <dt>{t('training.content.size')}</dt>
        <dd className={styles.figure}>
          {sample?.sides ? t('training.content.pixels', { pixels: format.count(sample.sides[1]) }) : '–'}
        </dd>
        <dd className={styles.note}>{sample ? <Sides sample={sample} /> : t('training.content.sampling')}</dd>
      </div>
    </dl>
  );
}

function ClassNumber({ label, count }: { label: Class; count: string }) {
  const { t } = useTranslation();
  const { Icon, ink } = MARKS[label === 'Parasitized' ? 'parasitized' : 'uninfected'];
  return (
    <div>
      <dt style={{ color: ink }}>
        <Icon size="1.2rem" aria-hidden />
        {t(`training.classes.${label}`)}
      </dt>
      <dd className={styles.figure} data-testid={`count-${label}`}>
        {count}
      </dd>
    </div>
  );
}

function Sides({ sample }: { sample: Sample }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [least, , most] = sample.sides ?? [0, 0, 0];
  return (
    <>
      {sample.sides
        ? t('training.content.sides', {
            least: format.count(least),
            most: format.count(most),
            count: sample.looked,
          })
        : null}
      {sample.unread > 0 ? ` ${t('training.content.unread', { count: sample.unread })}` : null}
    </>
  );
}

function Findings({ content }: { content: Content }) {
  const { t } = useTranslation();
  const sorted = [...content.findings].sort((a, b) => Number(useless(b)) - Number(useless(a)));
  if (sorted.length === 0) return <Text>{t('training.content.fine')}</Text>;
  return (
    <ul className={styles.findings} data-testid="findings">
      {sorted.map((finding) => (
        <Found key={finding.fault + finding.what} finding={finding} />
      ))}
    </ul>
  );
}

function Found({ finding }: { finding: Finding }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { fault, count, what } = finding;
  const bad = useless(finding);
  const Icon = bad ? IconX : fault === 'options' ? IconInfoCircle : IconAlertTriangle;
  const ink = bad ? 'var(--parasitized)' : fault === 'options' ? 'var(--uninfected)' : 'var(--review)';
  const known = CLASSES.find((label) => label === what);
  return (
    <li className={styles.finding}>
      <Icon size="1.2rem" color={ink} aria-hidden />
      <Text className={styles.breaks} fw={bad ? 600 : 400}>
        {t(`training.faults.${fault}`, {
          count,
          cells: format.count(count),
          what: known ? t(`training.classes.${known}`) : what,
        })}
      </Text>
    </li>
  );
}
