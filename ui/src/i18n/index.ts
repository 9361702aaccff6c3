/** One file a language, loaded when it is chosen. A test holds all of them to the keys of English. */
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';

export const LANGUAGES = {
  en: 'English',
  fr: 'Français',
  es: 'Español',
  pt: 'Português',
  sw: 'Kiswahili',
} as const;
export type Language = keyof typeof LANGUAGES;

const PLACE = 'malaria.language';
const files: Record<Language, () => Promise<{ default: object }>> = {
  en: () => import('./en.json'),
  fr: () => import('./fr.json'),
  es: () => import('./es.json'),
  pt: () => import('./pt.json'),
  sw: () => import('./sw.json'),
};

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
  if (!i18next.hasResourceBundle(language, 'translation')) {
    i18next.addResourceBundle(language, 'translation', (await files[language]()).default);
  }
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
  try {
    localStorage.setItem(PLACE, language);
  } catch {
    // it is chosen again next time
  }
}

function kept(): string | null {
  try {
    return localStorage.getItem(PLACE);
  } catch {
    return null;
  }
}
