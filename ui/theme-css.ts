/**
 * The theme's variables as a style sheet, made when the page is built.
 *
 * Mantine would write them into a <style> element at run time, which the Content-Security-Policy forbids: a
 * page that is served from plain storage has no nonce. A file needs no exception.
 */
import {
  convertCssVariables,
  DEFAULT_THEME,
  defaultCssVariablesResolver,
  mergeMantineTheme,
} from '@mantine/core';
import type { Plugin } from 'vite';
import { theme } from './src/theme/theme.ts';

const NAME = 'virtual:theme.css';
const RESOLVED = `\0${NAME}`;

export function themeCss(): Plugin {
  return {
    name: 'theme-css',
    resolveId: (id) => (id === NAME ? RESOLVED : null),
    load(id) {
      if (id !== RESOLVED) return null;
      const merged = mergeMantineTheme(DEFAULT_THEME, theme);
      return convertCssVariables(defaultCssVariablesResolver(merged), ':root');
    },
  };
}
