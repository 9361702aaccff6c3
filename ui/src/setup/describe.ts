/**
 * A cell's colour and texture in a few numbers, by which unlike cells are told apart.
 *
 * The server's answers hold no embedding, and to ask how a network sees a cell would be to look through the eyes that
 * may be mistaken here. Stain, light, size of the dark parts and roughness are what differs between laboratories.
 */
import { pixelsOf } from '../parts/pixels';

const SIDE = 24;

/** Null where the browser cannot show the picture, as it is with TIFF. */
export async function describe(picture: Blob): Promise<number[] | null> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(picture, {
      resizeWidth: SIDE,
      resizeHeight: SIDE,
      resizeQuality: 'medium',
    });
  } catch {
    return null;
  }
  const pixels = pixelsOf(bitmap, SIDE);
  return pixels ? featuresOf(pixels, SIDE) : null;
}

/** Mean and spread of each colour, the darkest green (what stain takes away), and how rough the green is. */
export function featuresOf(rgba: ArrayLike<number>, side: number): number[] {
  const channels = [0, 1, 2].map((channel) =>
    Array.from({ length: side * side }, (_, at) => rgba[4 * at + channel] ?? 0),
  );
  const means = channels.map(mean);
  const spreads = channels.map((values, at) =>
    Math.sqrt(mean(values.map((v) => (v - (means[at] ?? 0)) ** 2))),
  );
  const green = channels[1] ?? [];
  const darkest = green.toSorted((a, b) => a - b)[Math.floor(green.length / 50)] ?? 0;
  const steps = green.flatMap((value, at) =>
    at % side === 0 ? [] : [Math.abs(value - (green[at - 1] ?? 0))],
  );
  return [...means, ...spreads, darkest, mean(steps)];
}

function mean(values: readonly number[]): number {
  return values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : 0;
}
