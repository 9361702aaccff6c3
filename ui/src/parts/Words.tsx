/** What the server says, in the chosen language by the code that comes with it; else in its own words, which are English. */
import { useTranslation } from 'react-i18next';

interface Props {
  /** The section of the language files that has words for such codes. */
  at: string;
  code: string;
  /** The server's own words. */
  own: string;
  values?: Record<string, string | number>;
}

export function Words({ at, code, own, values = {} }: Props) {
  const { t, i18n } = useTranslation();
  const key = `${at}.${code}`;
  return code && i18n.exists(key) ? t(key as 'reason.uncertain', values) : <span lang="en">{own}</span>;
}
