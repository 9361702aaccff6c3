import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { languageParts } from './language-parts.ts';
import { themeCss } from './theme-css.ts';

const SERVER = process.env.MALARIA_URL ?? 'http://127.0.0.1:8000';
const API = [
  '/predict',
  '/retrain',
  '/uploads',
  '/feedback',
  '/models',
  '/model',
  '/metrics',
  '/health',
  '/status',
];

/** The server answers with the page at these addresses, and only there. */
function routes(): Plugin {
  const source = readFileSync(new URL('./src/routes.json', import.meta.url), 'utf-8');
  return {
    name: 'routes',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'routes.json', source });
    },
  };
}

/** What the service worker must know of the build, which is known only when all of it is there. */
function worker(): Plugin {
  const source = readFileSync(new URL('./src/routes.json', import.meta.url), 'utf-8');
  return {
    name: 'worker',
    enforce: 'post',
    generateBundle(_, bundle) {
      const made = bundle['sw.js'];
      if (made?.type !== 'chunk') this.error('sw.js was not built');
      const build = createHash('sha256').update(Object.keys(bundle).sort().join()).digest('hex').slice(0, 12);
      made.code = made.code
        .replace('__BUILD__', build)
        .replace('__ROUTES__', JSON.stringify(JSON.parse(source)));
    },
  };
}

export default defineConfig({
  plugins: [react(), themeCss(), languageParts(), routes(), worker()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // a data: address is no file, so a policy would have to allow it
    modulePreload: { polyfill: false },
    manifest: true,
    sourcemap: false,
    rolldownOptions: {
      input: {
        index: fileURLToPath(new URL('./index.html', import.meta.url)),
        sw: fileURLToPath(new URL('./src/offline/sw.ts', import.meta.url)),
      },
      output: {
        // a service worker keeps its name, by which the browser finds a newer one
        entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  test: { testTimeout: 60_000 }, // machines that run tests may be slow
  server: { proxy: Object.fromEntries(API.map((path) => [path, { target: SERVER, changeOrigin: true }])) },
});
