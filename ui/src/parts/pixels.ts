/** The colours of a picture on a small square, row by row, four bytes each; null where the browser draws nothing. */
export function pixelsOf(picture: ImageBitmap, side: number): Uint8ClampedArray | null {
  const canvas = document.createElement('canvas');
  canvas.width = side;
  canvas.height = side;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context?.drawImage(picture, 0, 0, side, side);
  picture.close();
  return context?.getImageData(0, 0, side, side).data ?? null;
}
