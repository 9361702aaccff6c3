/** Why a job ended as it did, and what would help: in the page's own words, as far as it has some. */
import { Anchor, Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { Advised, Rule, Task } from '../api/types';
import { useFormat } from '../parts/format';
import { Words } from '../parts/Words';
import styles from './Jobs.module.css';
import { RuleName, Said } from './Rules';
import { deciding, keyOf, outcomeOf } from './receipt';

/** The rules that made the verdict. */
export function WhyVerdict({ job }: { job: Task }) {
  const { t } = useTranslation();
  const rules = deciding(job.verdict ?? '', (job.receipt.criteria ?? []) as Rule[]);
  const pooled = (job.receipt.pooled ?? []) as string[];
  const aside = (job.receipt.set_aside ?? []) as string[];
  if (rules.length === 0) return <Text lang="en">{job.reason}</Text>;
  return (
    <>
      <ul className={styles.why} data-testid="why">
        {rules.map((rule) => (
          <li key={rule.name}>
            <b>
              {t(`training.outcomes.${outcomeOf(rule)}`) + t('app.colon')}
              <RuleName rule={rule} />
            </b>
            {' – '}
            <Said rule={rule} />
          </li>
        ))}
      </ul>
      {pooled.length > 0 ? <Others told="pooled" jobs={pooled} /> : null}
      {aside.length > 0 ? <Others told="setAside" jobs={aside} /> : null}
    </>
  );
}

function Others({ told, jobs }: { told: 'pooled' | 'setAside'; jobs: readonly string[] }) {
  const { t } = useTranslation();
  return (
    <Text>
      {t(`training.receipt.${told}`)}{' '}
      {jobs.map((id) => (
        <Anchor key={id} component={Link} href={`/training?job=${id}`} underline="always" c="inherit" mr="xs">
          {id}
        </Anchor>
      ))}
    </Text>
  );
}

/** Why it waits, or came to no verdict. */
export function WhyEnded({ job }: { job: Pick<Task, 'code' | 'reason'> }) {
  const { i18n } = useTranslation();
  return (
    <Stack gap={4}>
      <Text>
        <Words at="training.whys" code={job.code} own={job.reason} />
      </Text>
      {job.code && i18n.exists(`training.whys.${job.code}`) ? (
        <Text size="sm" c="var(--muted)" lang="en">
          {job.reason}
        </Text>
      ) : null}
    </Stack>
  );
}

interface Pieces {
  /** Receipts of old have none. */
  advised: readonly Advised[] | undefined;
  /** All of it, in the server's words. */
  text: string;
}

/** What would help. */
export function Advice({ advised = [], text }: Pieces) {
  if (advised.length === 0) return <Text lang="en">{text}</Text>;
  return advised.map((one) => <Piece key={`${one.code} ${one.rule}`} advised={one} />);
}

const ORDER = ['cells', 'parasitized', 'uninfected', 'groups'] as const;

function Piece({ advised }: { advised: Advised }) {
  const { t, i18n } = useTranslation();
  const format = useFormat();
  const { code, rule, numbers, text } = advised;
  const counts = Object.fromEntries(
    Object.entries(numbers).map(([name, count]) => [name, format.count(count)] as const),
  );
  const key = `training.rules.${keyOf({ name: rule })}`;
  const values = {
    ...counts,
    rule: i18n.exists(key) ? t(key as 'training.rules.labels') : rule,
    what: ORDER.flatMap((name) => {
      const more = counts[name];
      return more ? [t(`training.more.${name}`, { more })] : [];
    }).join(', '),
  };
  return (
    <Text>
      <Words at="training.advised" code={code} own={text} values={values} />
    </Text>
  );
}
