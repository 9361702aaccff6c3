/**
 * The screens of the page, in the order of the navigation. Each is loaded when it is first opened.
 *
 * routes.json lists their addresses for the server; a test holds the two together, and keeps them apart from the
 * API's own (/models and /retrain are taken).
 */
import { IconMicroscope, type TablerIcon } from '@tabler/icons-react';
import { type ComponentType, type LazyExoticComponent, lazy } from 'react';

interface Screen {
  path: string;
  name: 'nav.diagnose';
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
];
