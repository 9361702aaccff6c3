import { describe, expect, it } from 'vitest';
import { LANGUAGES, type Language, preferred } from '.';
import en from './en.json';
import es from './es.json';
import fr from './fr.json';
import pt from './pt.json';
import sw from './sw.json';

const files: Record<Language, object> = { en, fr, es, pt, sw };
const FORM = /_(zero|one|two|few|many|other)$/;

function flat(node: object, path = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(node)) {
    if (typeof value === 'string') found.set(path + name, value);
    else for (const [key, text] of flat(value as object, `${path}${name}.`)) found.set(key, text);
  }
  return found;
}

/** Keys without their plural forms. */
const bases = (texts: Map<string, string>) =>
  [...new Set([...texts.keys()].map((key) => key.replace(FORM, '')))].sort();

/** What a text must carry over: placeholders and tags, in any order. A singular may say its number in words. */
function carried(texts: Map<string, string>, base: string): string[] {
  const text = texts.get(base) ?? texts.get(`${base}_other`) ?? '';
  return [...text.matchAll(/\{\{[\w, ]+\}\}|<\w+>[^<]*<\/\w+>/g)].map(([match]) => match).sort();
}

const english = flat(en);

describe.each(Object.keys(LANGUAGES) as Language[])('%s', (language) => {
  const texts = flat(files[language]);

  it('says everything that English says, and nothing else', () => {
    expect(bases(texts)).toEqual(bases(english));
  });

  it('carries every placeholder over', () => {
    for (const base of bases(english))
      expect([base, carried(texts, base)]).toEqual([base, carried(english, base)]);
  });

  it('has every plural form that the language needs', () => {
    const needed = new Intl.PluralRules(language).resolvedOptions().pluralCategories.toSorted();
    const counted = bases(texts).filter((base) => texts.has(`${base}_other`));
    expect(counted.length).toBeGreaterThan(5);
    for (const base of counted) {
      const has = needed.filter((form) => texts.has(`${base}_${form}`));
      expect([base, has]).toEqual([base, needed]);
    }
  });

  it('writes a count as it writes numbers: 1,112', () => {
    expect([...texts].filter(([, text]) => text.includes('{{count}}'))).toEqual([]);
  });

  it('is a language of its own', () => {
    if (language === 'en') return;
    const same = [...texts].filter(
      ([key, text]) => text === english.get(key) && text.replace(/\{\{[\w, ]+\}\}/g, '').length > 12,
    );
    expect(same).toEqual([]);
  });

  it('never calls a patient or a smear negative', () => {
    for (const text of texts.values()) expect(text.toLowerCase()).not.toMatch(/negativ|négatif|hasi\b/);
  });
});

describe('the language at the start', () => {
  it('is the one chosen before', () => expect(preferred('sw', ['fr-FR'])).toBe('sw'));
  it('else the first that the browser prefers and the page speaks', () =>
    expect(preferred(null, ['de-DE', 'pt-BR', 'en'])).toBe('pt'));
  it('else English', () => expect(preferred('xx', ['de'])).toBe('en'));
});
