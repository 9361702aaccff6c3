import '@mantine/core/styles.css';
import '@mantine/dropzone/styles.css';
import '@mantine/notifications/styles.css';
import 'virtual:theme.css';
import './theme/tokens.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App';
import { start } from './i18n';
import { keepForOffline } from './offline/register';
import { persist } from './parts/lasting';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
try {
  await start();
} catch (error) {
  root.textContent = 'The page could not be loaded. Check that you are connected, then load it again.'; // there are no words yet
  throw error;
}
keepForOffline();
void persist('watch', () => import('./review/watch')).then(({ watch }) => watch());
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
