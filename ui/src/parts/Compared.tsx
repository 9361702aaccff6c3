/** The same figures of two models, each with its interval, drawn on one scale. */
import { useTranslation } from 'react-i18next';
import styles from './Compared.module.css';
import { type Figures, useFigures } from './figures';
import { FALLING, FIGURES, type Figure, figureOf, KINDS, type Metrics } from './metrics';

export interface Who {
  name: string;
  metrics: Metrics;
}

/** The first and the second differ in shape, too. */
export const INKS = ['var(--muted)', 'var(--accent)'] as const;

export function Compared({ who }: { who: readonly Who[] }) {
  const { t } = useTranslation();
  const figures = useFigures();
  const shown = FIGURES.filter((name) => who.some(({ metrics }) => figureOf(metrics, name).value !== null));
  return (
    <div className={styles.figures}>
      {shown.map((name) => (
        <div key={name}>
          <p className={styles.name}>
            {t(`figures.${name}`)}{' '}
            <small>{t(FALLING.includes(name) ? 'figures.lower' : 'figures.higher')}</small>
          </p>
          {who.map((one, at) => (
            <Row key={one.name} one={one} at={at} name={name} scale={scaleOf(who, name)} figures={figures} />
          ))}
        </div>
      ))}
    </div>
  );
}

interface RowProps {
  one: Who;
  at: number;
  name: Figure;
  scale: [number, number];
  figures: Figures;
}

function Row({ one, at, name, scale, figures }: RowProps) {
  const { value, interval } = figureOf(one.metrics, name);
  const kind = KINDS[name];
  const ink = INKS[at] ?? INKS[0];
  const place = (x: number) => `${(100 * (x - scale[0])) / (scale[1] - scale[0])}%`;
  const shape = at === 0 ? '' : styles.square;
  return (
    <div className={styles.row} data-testid={`figure-${name}`}>
      <span className={styles.who}>
        <span className={`${styles.key} ${shape}`} style={{ background: ink }} aria-hidden />
        {one.name}
      </span>
      <span className={styles.track} aria-hidden>
        {interval ? (
          <span
            className={styles.whisker}
            style={{
              left: place(interval[0]),
              width: `${(100 * (interval[1] - interval[0])) / (scale[1] - scale[0])}%`,
              background: ink,
            }}
          />
        ) : null}
        {value === null ? null : (
          <span className={`${styles.dot} ${shape}`} style={{ left: place(value), background: ink }} />
        )}
      </span>
      <span className={styles.value}>
        <b>{figures.value(value, kind)}</b> <span>{figures.between(interval, kind)}</span>
      </span>
    </div>
  );
}

/** From below the least that is drawn to above the most, within 0 and 1. */
function scaleOf(who: readonly Who[], name: Figure): [number, number] {
  const all = who.flatMap(({ metrics }) => {
    const { value, interval } = figureOf(metrics, name);
    return [...(interval ?? []), ...(value === null ? [] : [value])];
  });
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const room = Math.max(0.01, (most - least) * 0.08);
  return [Math.max(0, least - room), Math.min(1, most + room)];
}
