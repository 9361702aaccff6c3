/** What the answer was made of: the picture, the model, the time. */
import { useTranslation } from 'react-i18next';
import type { Predicted, ServedModel } from '../api/types';
import { useFormat } from '../parts/format';
import type { Cell } from './cell';
import styles from './Details.module.css';

interface Props {
  cell: Cell;
  told: Predicted | null;
  model: ServedModel | null;
}

export function Details({ cell, told, model }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const answer = cell.answer;
  return (
    <dl className={styles.list}>
      <Line name={t('details.file')}>{cell.name}</Line>
      <Line name={t('details.picture')}>
        {answer ? t('details.size', { width: answer.width, height: answer.height }) : null}{' '}
        {format.bytes(cell.size)}
      </Line>
      {answer ? (
        <>
          <Line name={t('details.model')}>
            {answer.version}
            {model ? ` · ${model.network}` : ''}
          </Line>
          {model ? (
            <Line name={t('details.digest')}>
              <code title={model.digest}>{model.digest.slice(0, 16)}…</code>
            </Line>
          ) : null}
          <Line name={t('details.time')}>
            {format.moment(answer.timestamp)}
            {told ? ` · ${format.milliseconds(told.processing_time)}` : ''}
          </Line>
        </>
      ) : null}
    </dl>
  );
}

function Line({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className={styles.line}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
