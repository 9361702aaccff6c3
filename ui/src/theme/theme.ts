/** One visual language: calm paper and ink, one accent, four meanings that never rest on colour alone. */
import { createTheme, type MantineColorsTuple } from '@mantine/core';

const teal: MantineColorsTuple = [
  '#e8f6f4',
  '#d3ebe7',
  '#a6d6cf',
  '#76c0b6',
  '#4faea1',
  '#2f9e90',
  '#148678',
  '#0f766e',
  '#0b625b',
  '#074c47',
];
const ink: MantineColorsTuple = [
  '#e6ebee',
  '#c3ccd1',
  '#9fabb2',
  '#7d8b93',
  '#5d6c75',
  '#43515a',
  '#313d45',
  '#232d34',
  '#192127',
  '#11181d',
];

export const theme = createTheme({
  primaryColor: 'teal',
  primaryShade: 7, // white on it reaches 4.5:1, and it stands out from paper in either theme
  colors: { teal, dark: ink },
  black: '#182127',
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", "Noto Sans Mono", monospace',
  headings: {
    fontWeight: '650',
    sizes: { h2: { fontSize: 'clamp(1.6rem, 3vw, 2.2rem)', lineHeight: '1.25' } }, // a screen's name
  },
});
