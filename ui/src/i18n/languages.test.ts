import { describe, expect, it } from 'vitest';
import { tied } from '../../language-parts';
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

/** The same thing on several screens. */
const ALIKE = [
  ['figures.sensitivity', 'monitor.quality.sensitivity'],
  ['figures.specificity', 'monitor.quality.specificity'],
  ['figures.accuracy', 'monitor.quality.accuracy', 'training.curves.accuracy'],
  ['data.uninfected', 'summary.clear', 'filter.uninfected', 'training.classes.Uninfected'],
  ['data.parasitized', 'summary.infected', 'filter.parasitized', 'training.classes.Parasitized'],
  ['group.uninfected', 'versions.confusion.calledUninfected'],
  ['details.file', 'training.ingest.file', 'versions.version.size'],
];

describe.each(Object.keys(LANGUAGES) as Language[])('a thing in %s', (language) => {
  const texts = flat(files[language]);

  it.each(ALIKE)('has one name: %s', (first, ...others) => {
    for (const other of others) expect([other, texts.get(other)]).toEqual([other, texts.get(first ?? '')]);
  });

  it('named by its operating point is so on every screen', () => {
    const named = texts.get('versions.version.threshold') ?? '';
    expect(texts.get('bar.point')).toBe(`${named} {{value}}`);
    expect(texts.get('reason.uncertain')?.toLowerCase()).toContain(named.toLowerCase());
  });
});

it('Portuguese is that of one country', () => {
  for (const text of flat(pt).values())
    expect(text).not.toMatch(/ficheir|infetad|etiqueta|registo|controlo|aceites?\b|píxei|\d %/i);
});

describe('no line breaks', () => {
  it('before French punctuation and a percent sign', () =>
    expect(tied('« Bon » : 95 % ; vrai ?')).toBe('«\u00a0Bon\u00a0»\u00a0: 95\u00a0%\u00a0; vrai\u00a0?'));
  it('and words are as they were', () => {
    for (const file of Object.values(files)) {
      const text = JSON.stringify(file);
      expect(tied(text).replaceAll('\u00a0', ' ')).toBe(text);
    }
  });
});

describe('the language at the start', () => {
  it('is the one chosen before', () => expect(preferred('sw', ['fr-FR'])).toBe('sw'));
  it('else the first that the browser prefers and the page speaks', () =>
    expect(preferred(null, ['de-DE', 'pt-BR', 'en'])).toBe('pt'));
  it('else English', () => expect(preferred('xx', ['de'])).toBe('en'));
});
