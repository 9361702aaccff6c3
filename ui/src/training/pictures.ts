/** A sample of the pictures, looked at in the browser: how large they are, and what they look like. */
import type { Source } from '../diagnose/intake';
import { CLASSES, type Class, type Content } from './content';

const LOOKED_AT = 40;
const SHOWN = 8;

export interface Sample {
  /** How many were looked at, and how many of them the browser cannot read. */
  looked: number;
  unread: number;
  /** The longer side in pixels: smallest, middle, largest; null where none can be read. */
  sides: [number, number, number] | null;
  /** Some of each class, to be shown; the server alone can read TIFF. */
  shown: Record<Class, Source[]>;
}

/** Stops looking where the signal says so. */
export async function sampled(content: Content, signal: AbortSignal): Promise<Sample> {
  const found: Sample = { looked: 0, unread: 0, sides: null, shown: { Parasitized: [], Uninfected: [] } };
  const sides: number[] = [];
  for (const label of CLASSES) {
    for (const source of spread(content.pictures[label], LOOKED_AT)) {
      if (signal.aborted) return found;
      found.looked += 1;
      const side = await sideOf(source);
      if (side === null) found.unread += 1;
      else {
        sides.push(side);
        if (found.shown[label].length < SHOWN) found.shown[label].push(source);
      }
    }
  }
  sides.sort((a, b) => a - b);
  const [least, middle, most] = [sides[0], sides[Math.floor(sides.length / 2)], sides.at(-1)];
  if (least !== undefined && middle !== undefined && most !== undefined) found.sides = [least, middle, most];
  return found;
}

/** At most so many, evenly from the first to the last. */
export function spread<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, at) => all[Math.floor((at * all.length) / most)] as T);
}

async function sideOf(source: Source): Promise<number | null> {
  try {
    const picture = await createImageBitmap(await source.load());
    const side = Math.max(picture.width, picture.height);
    picture.close();
    return side;
  } catch {
    return null;
  }
}
