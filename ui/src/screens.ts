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
import { type ComponentType, type LazyExoticComponent, lazy } from 'react';
import { withWords } from './i18n';

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
    Screen: lazy(() => import('./diagnose/Diagnose')),
  },
  {
    path: '/review',
    name: 'nav.review',
    Icon: IconTags,
    Screen: lazy(() => withWords(import('./review/Review'))),
  },
  {
    path: '/setup',
    name: 'nav.setup',
    Icon: IconAdjustmentsCheck,
    Screen: lazy(() => withWords(import('./setup/Setup'))),
  },
  {
    path: '/training',
    name: 'nav.training',
    Icon: IconRefreshDot,
    Screen: lazy(() => withWords(import('./training/Training'))),
  },
  {
    path: '/versions',
    name: 'nav.versions',
    Icon: IconVersions,
    Screen: lazy(() => withWords(import('./versions/Versions'))),
  },
  {
    path: '/data',
    name: 'nav.data',
    Icon: IconChartDots,
    Screen: lazy(() => withWords(import('./data/Data'))),
  },
  {
    path: '/monitor',
    name: 'nav.monitor',
    Icon: IconActivity,
    Screen: lazy(() => withWords(import('./monitor/Monitor'))),
  },
];
