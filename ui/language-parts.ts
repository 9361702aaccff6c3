/**
 * A language is one file, and is loaded in two: what is said until cells were brought, and the rest when it is needed. A
 * poor line carries the first only.
 */
import { readFileSync } from 'node:fs';
import type { Plugin } from 'vite';

const FIRST = ['app', 'nav', 'scheme', 'language', 'mishap', 'key', 'failure', 'bring', 'intake', 'replace'];
const PART = /^(.*\/i18n\/\w+\.json)\?(first|later)$/;

/**
 * No line breaks before French punctuation or a percent sign: who writes the words need not think of it.
 */
export const tied = (text: string): string =>
  text.replace(/ (?=[:;?!»%])/g, '\u00a0').replace(/« /g, '«\u00a0');

export function languageParts(): Plugin {
  return {
    name: 'language-parts',
    enforce: 'pre',
    load(id) {
      const [, file, part] = PART.exec(id) ?? [];
      if (file === undefined) return null;
      this.addWatchFile(file);
      const all = Object.entries(JSON.parse(tied(readFileSync(file, 'utf-8'))) as Record<string, unknown>);
      const mine = all.filter(([section]) => FIRST.includes(section) === (part === 'first'));
      return { code: `export default ${JSON.stringify(Object.fromEntries(mine))}`, moduleType: 'js' };
    },
  };
}
