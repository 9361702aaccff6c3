import { type RefObject, useLayoutEffect } from 'react';
import { useTranslation } from 'react-i18next';

/** All in one row, with icons and without; the navigation in a row of its own, with icons and without. */
const FITS = ['wide', 'tight', 'rows', 'bare'] as const;
/** Where nothing fits, as on a phone, the navigation scrolls. */
const SCROLLS = 'rows';

/** Words are longer in some languages, so it is measured, and not told by the width alone, how the header fits. */
export function useFit(header: RefObject<HTMLElement | null>): void {
  const { i18n } = useTranslation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: other words have other widths
  useLayoutEffect(() => {
    const element = header.current;
    const tools = element?.lastElementChild;
    if (!element || !tools) return;
    const measure = () => fitted(element);
    measure();
    const observer = new ResizeObserver(measure); // a key's button comes and goes
    observer.observe(tools);
    addEventListener('resize', measure);
    return () => {
      observer.disconnect();
      removeEventListener('resize', measure);
    };
  }, [header, i18n.language]);
}

function fitted(header: HTMLElement): void {
  const nav = header.querySelector('nav');
  if (!nav) return;
  for (const one of FITS) {
    header.dataset.fit = one;
    if (nav.scrollWidth <= nav.clientWidth) return;
  }
  header.dataset.fit = SCROLLS;
  const here = nav.querySelector<HTMLElement>('[aria-current]');
  if (here) inTheMiddle(here);
}

/** Where the navigation scrolls, it shows where one is. */
export function inTheMiddle(link: HTMLElement): void {
  const nav = link.parentElement;
  if (nav) nav.scrollLeft = link.offsetLeft - (nav.clientWidth - link.clientWidth) / 2;
}
