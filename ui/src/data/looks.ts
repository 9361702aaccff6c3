/** Size, light and stain of a picture, read in the browser as the server reads them (src/malaria/unfamiliar.py). */
import { pixelsOf } from '../parts/pixels';

export interface Looks {
  /** Longer side, pixels. */
  side: number;
  /** Mean of the three colours, 0 to 255, without the black surround. */
  brightness: number;
  /** Shares of red and of blue in the light, 0 to 1. */
  red: number;
  blue: number;
}

const SIDE = 48;
/** What is no lighter than this is surround. */
const BLACK = 8;

/** Null where the browser cannot show the picture, as it is with TIFF, or where all of it is black. */
export async function looksOf(picture: Blob): Promise<Looks | null> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(picture);
  } catch {
    return null;
  }
  const side = Math.max(bitmap.width, bitmap.height);
  const pixels = pixelsOf(bitmap, SIDE);
  const light = pixels ? lightOf(pixels) : null;
  return light ? { side, ...light } : null;
}

export function lightOf(rgba: ArrayLike<number>): Omit<Looks, 'side'> | null {
  const sums = [0, 0, 0];
  let lit = 0;
  for (let at = 0; at < rgba.length; at += 4) {
    const colours = [rgba[at] ?? 0, rgba[at + 1] ?? 0, rgba[at + 2] ?? 0];
    if (Math.max(...colours) <= BLACK) continue;
    lit += 1;
    for (const [channel, value] of colours.entries()) sums[channel] = (sums[channel] ?? 0) + value;
  }
  const [red = 0, green = 0, blue = 0] = sums;
  const total = red + green + blue;
  return lit > 0 ? { brightness: total / 3 / lit, red: red / total, blue: blue / total } : null;
}
