/** Pixels that grow with the page's letters, which are larger on a large screen: charts take no rem. */
export function scaled(pixels: number): number {
  return (pixels * (Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16)) / 16;
}
