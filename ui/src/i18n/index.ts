/** One file a language, loaded when it is chosen. A test holds all of them to the keys of English. */
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { part as fetched } from '../parts/part';

export const LANGUAGES = {
  en: 'English',
  fr: 'Français',
  es: 'Español',
  pt: 'Português',
  sw: 'Kiswahili',
} as const;
export type Language = keyof typeof LANGUAGES;

const PLACE = 'malaria.language';
type Words = Promise<{ default: object }>;
/** What is said until cells were brought, and the rest: language-parts.ts. */
const files: Record<Language, readonly [() => Words, () => Words]> = {
  en: [() => import('./en.json?first'), () => import('./en.json?later')],
  fr: [() => import('./fr.json?first'), () => import('./fr.json?later')],
  es: [() => import('./es.json?first'), () => import('./es.json?later')],
  pt: [() => import('./pt.json?first'), () => import('./pt.json?later')],
  sw: [() => import('./sw.json?first'), () => import('./sw.json?later')],
};
const PARTS = [0, 1] as const;
/** Whether the rest is needed. */
let more = false;

export const isLanguage = (text: string): text is Language => text in LANGUAGES;

/** The one chosen before, else the first that the browser prefers and the page speaks. */
export function preferred(kept: string | null, wanted: readonly string[]): Language {
  const tags = [...(kept ? [kept] : []), ...wanted].map((tag) => tag.toLowerCase().split('-')[0] ?? '');
  return tags.find(isLanguage) ?? 'en';
}

export async function start(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: 'none',
    resources: {},
    fallbackLng: false,
    interpolation: { escapeValue: false }, // React escapes
    returnEmptyString: false,
  });
  await speak(preferred(kept(), navigator.languages));
}

export async function speak(language: Language): Promise<void> {
  await bring(language);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
  try {
    localStorage.setItem(PLACE, language);
  } catch {
    // it is chosen again next time
  }
}

/** A part of the page that says more than the first step does, with its words. */
export async function withWords<Screen>(screen: Promise<Screen>): Promise<Screen> {
  more = true;
  await bring(i18next.language as Language);
  return screen;
}

const brought = new Set<string>();

async function bring(language: Language): Promise<void> {
  for (const part of PARTS) {
    const name = `${language} ${part}`;
    if ((part === 1 && !more) || brought.has(name)) continue;
    const words = (await fetched(language, files[language][part])).default;
    i18next.addResourceBundle(language, 'translation', words, true);
    brought.add(name);
  }
}

function kept(): string | null {
  try {
    return localStorage.getItem(PLACE);
  } catch {
    return null;
  }
}
