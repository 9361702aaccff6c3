import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { Suspense, useSyncExternalStore } from 'react';
import { Redirect, Route, Switch, useLocation } from 'wouter';
import { keys } from './api/key';
import { Fetching } from './layout/Fetching';
import { Mishap } from './layout/Mishap';
import { Shell } from './layout/Shell';
import { lasting } from './parts/lasting';
import { SCREENS } from './screens';
import { theme } from './theme/theme';

const KeyDialog = lasting('KeyDialog', () => import('./layout/KeyDialog'));

/**
 * Variables and classes are not written at run time: theme-css.ts says why. What one screen meets is no other's.
 */
export function App() {
  const [path] = useLocation();
  return (
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      withCssVariables={false}
      withGlobalClasses={false}
    >
      <Shell>
        <Mishap key={path}>
          <Suspense fallback={<Fetching />}>
            <Switch>
              {SCREENS.map(({ path, Screen }) => (
                <Route key={path} path={path} component={Screen} />
              ))}
              <Route>
                <Redirect to={SCREENS[0].path} replace />
              </Route>
            </Switch>
          </Suspense>
        </Mishap>
      </Shell>
      <KeyWhenWanted />
      <Notifications position="bottom-right" />
    </MantineProvider>
  );
}

/** Most servers want no key, so the dialog is loaded when one does. */
function KeyWhenWanted() {
  const wanted = useSyncExternalStore(keys.subscribe, keys.wanted);
  return wanted ? (
    <Suspense>
      <KeyDialog />
    </Suspense>
  ) : null;
}
