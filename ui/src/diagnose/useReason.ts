import { useTranslation } from 'react-i18next';
import type { Reason } from './cell';

/** A reason in the page's own words where it has some, else in the server's. */
export function useReason(): (reason: Reason) => string {
  const { t, i18n } = useTranslation();
  return ({ code, text }) => {
    const key = `reason.${code}`;
    return i18n.exists(key) ? t(key as 'reason.uncertain') : text;
  };
}
