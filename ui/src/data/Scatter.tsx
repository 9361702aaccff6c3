/** Points of two classes, told apart by their shape as well as by colour: parasitized cells are triangles. */
import { useTranslation } from 'react-i18next';
import type { Class } from '../training/content';
import styles from './Data.module.css';

export interface Dot {
  x: number;
  y: number;
  label: Class;
  /** Behind the others, and fainter. */
  behind?: boolean;
}

interface Props {
  dots: readonly Dot[];
  label: string;
  across: string;
  up: string;
}

const WIDTH = 480;
const HEIGHT = 340;
const EDGE = 14;
const FEW = 0.005;

export function Scatter({ dots, label, across, up }: Props) {
  const { t } = useTranslation();
  const [left, right] = reach(dots.map(({ x }) => x));
  const [low, high] = reach(dots.map(({ y }) => y));
  const at = ({ x, y }: Dot) => {
    const px = EDGE + ((clamp(x, left, right) - left) / (right - left)) * (WIDTH - 2 * EDGE);
    const py = HEIGHT - EDGE - ((clamp(y, low, high) - low) / (high - low)) * (HEIGHT - 2 * EDGE);
    return [px.toFixed(1), py.toFixed(1)] as const;
  };
  const ordered = [...dots.filter((dot) => dot.behind), ...dots.filter((dot) => !dot.behind)];
  return (
    <figure className={styles.figure}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label} className={styles.scatter}>
        {ordered.map((dot, place) => {
          const [x, y] = at(dot);
          const own = { 'data-label': dot.label, 'data-behind': dot.behind || undefined };
          return dot.label === 'Parasitized' ? (
            // biome-ignore lint/suspicious/noArrayIndexKey: points have no name, and are drawn anew together
            <path key={place} d={`M${x} ${y}m0-4l3.8 6.4h-7.6z`} {...own} />
          ) : (
            // biome-ignore lint/suspicious/noArrayIndexKey: as above
            <circle key={place} cx={x} cy={y} r={3} {...own} />
          );
        })}
      </svg>
      <figcaption className={styles.caption}>
        <span>
          → {across} · ↑ {up}
        </span>
        <span className={styles.legend}>
          <Key label="Parasitized" text={t('data.parasitized')} />
          <Key label="Uninfected" text={t('data.uninfected')} />
        </span>
      </figcaption>
    </figure>
  );
}

export function Key({ label, text }: { label: Class; text: string }) {
  return (
    <span className={styles.key}>
      <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden className={styles.scatter}>
        {label === 'Parasitized' ? (
          <path d="M6 1l5 9h-10z" data-label={label} />
        ) : (
          <circle cx={6} cy={6} r={4.5} data-label={label} />
        )}
      </svg>
      {text}
    </span>
  );
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/** From nearly the least to nearly the greatest: a few far ones would push all others together, and stand at the edge. */
function reach(values: readonly number[]): [number, number] {
  const ordered = values.toSorted((a, b) => a - b);
  const low = ordered[Math.floor(FEW * (ordered.length - 1))] ?? 0;
  const high = ordered[Math.ceil((1 - FEW) * (ordered.length - 1))] ?? 1;
  return high > low ? [low, high] : [low - 1, low + 1];
}
