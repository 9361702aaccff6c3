import { defineConfig, mergeConfig } from 'vitest/config';
import vite from './vite.config.ts';

export default mergeConfig(
  vite,
  defineConfig({
    // Few tests need a document, which takes longer to set up than most take: those say so in their first line.
    test: { environment: 'node', pool: 'threads', include: ['src/**/*.test.{ts,tsx}'], restoreMocks: true },
  }),
);
