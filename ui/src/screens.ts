/**
 * The screens of the page, in the order of the navigation. Each is loaded when it is first opened.
 *
 * routes.json lists their addresses for the server; a test holds the two together, and keeps them apart from the
 * API's own (/models and /retrain are taken).
 */
import {
  IconActivity,
  IconAdjustmentsCheck,
  IconChartDots,
  IconMicroscope,
  IconRefreshDot,
  IconTags,
  IconVersions,
  type TablerIcon,
} from '@tabler/icons-react';
import type { ComponentType, LazyExoticComponent } from 'react';
import { withWords } from './i18n';
import { lasting } from './parts/lasting';

interface Screen {
  path: string;
  name: `nav.${'diagnose' | 'review' | 'setup' | 'training' | 'versions' | 'data' | 'monitor'}`;
  Icon: TablerIcon;
  Screen: LazyExoticComponent<ComponentType>;
}

export const SCREENS: readonly [Screen, ...Screen[]] = [
  {
    path: '/diagnose',
    name: 'nav.diagnose',
    Icon: IconMicroscope,
    Screen: lasting('Diagnose', () => import('./diagnose/Diagnose')),
  },
  {
    path: '/review',
    name: 'nav.review',
    Icon: IconTags,
    Screen: lasting('Review', () => withWords(import('./review/Review'))),
  },
  {
    path: '/setup',
    name: 'nav.setup',
    Icon: IconAdjustmentsCheck,
    Screen: lasting('Setup', () => withWords(import('./setup/Setup'))),
  },
  {
    path: '/training',
    name: 'nav.training',
    Icon: IconRefreshDot,
    Screen: lasting('Training', () => withWords(import('./training/Training'))),
  },
  {
    path: '/versions',
    name: 'nav.versions',
    Icon: IconVersions,
    Screen: lasting('Versions', () => withWords(import('./versions/Versions'))),
  },
  {
    path: '/data',
    name: 'nav.data',
    Icon: IconChartDots,
    Screen: lasting('Data', () => withWords(import('./data/Data'))),
  },
  {
    path: '/monitor',
    name: 'nav.monitor',
    Icon: IconActivity,
    Screen: lasting('Monitor', () => withWords(import('./monitor/Monitor'))),
  },
];
