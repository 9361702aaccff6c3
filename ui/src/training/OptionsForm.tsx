/** How to retrain. Everything may be left to the server. */
import { Button, Group, NumberInput, Radio, Select, Stack, Textarea, Title } from '@mantine/core';
import { IconSend } from '@tabler/icons-react';
import type { FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import panels from '../diagnose/Panels.module.css';
import { useFormat } from '../parts/format';
import {
  LIMITS,
  MEASURES,
  METHODS,
  type Measure,
  type Method,
  MOST_NOTE,
  NETWORKS,
  type Options,
  right,
  takesMeasures,
  wrong,
} from './options';
import styles from './Training.module.css';

interface Props {
  options: Options;
  onChange: (options: Options) => void;
  onSend: () => void;
}

export function OptionsForm({ options, onChange, onSend }: Props) {
  const { t } = useTranslation();
  const change = (part: Partial<Options>) => onChange({ ...options, ...part });
  function send(event: FormEvent) {
    event.preventDefault();
    if (right(options)) onSend();
  }
  return (
    <form className={panels.panel} onSubmit={send} aria-label={t('training.options.title')} noValidate>
      <Stack>
        <Title order={3} size="h4">
          {t('training.options.title')}
        </Title>
        <Radio.Group
          label={t('training.options.method')}
          value={options.method}
          onChange={(value) => change({ method: value as Method })}
        >
          <Stack gap="xs" mt="xs">
            {METHODS.map((method) => (
              <Radio
                key={method}
                value={method}
                label={t(`training.methods.${method}.name`)}
                description={t(`training.methods.${method}.help`)}
              />
            ))}
          </Stack>
        </Radio.Group>
        {takesMeasures(options) ? <Measures options={options} change={change} /> : null}
        <Textarea
          label={t('training.options.note')}
          description={t('training.options.noteHelp')}
          value={options.note}
          maxLength={MOST_NOTE}
          autosize
          minRows={1}
          onChange={(event) => change({ note: event.currentTarget.value })}
        />
        <Group justify="flex-end">
          <Button
            type="submit"
            size="md"
            leftSection={<IconSend size="1.1rem" aria-hidden />}
            disabled={!right(options)}
          >
            {t('training.options.send')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Measures({ options, change }: { options: Options; change: (part: Partial<Options>) => void }) {
  const { t } = useTranslation();
  return (
    <div className={styles.fields}>
      {MEASURES.map((name) => (
        <MeasureInput key={name} name={name} options={options} change={change} />
      ))}
      <Select
        label={t('training.options.network')}
        description={t('training.options.networkHelp')}
        value={options.network}
        onChange={(value) => change({ network: value ?? '' })}
        allowDeselect={false}
        data={[
          { value: '', label: t('training.options.served') },
          ...NETWORKS.map((name) => ({ value: name, label: name })),
        ]}
      />
    </div>
  );
}

function MeasureInput(props: { name: Measure; options: Options; change: (part: Partial<Options>) => void }) {
  const { name, options, change } = props;
  const { t, i18n } = useTranslation();
  const format = useFormat();
  const { min, max, whole } = LIMITS[name];
  const least = whole ? format.count(min) : new Intl.NumberFormat(i18n.language, SMALL).format(min);
  const told = { least, most: format.count(max) };
  return (
    <NumberInput
      label={t(`training.options.${name}`)}
      description={t(`training.options.${name}Help`, told)}
      placeholder={t('training.options.default')}
      value={options[name]}
      onChange={(value) => change({ [name]: value })}
      error={
        wrong(options, name) ? t(whole ? 'training.options.badWhole' : 'training.options.bad', told) : null
      }
      allowDecimal={!whole}
      allowNegative={false}
      hideControls={!whole}
      clampBehavior="none"
    />
  );
}

const SMALL = { maximumFractionDigits: 6 };
