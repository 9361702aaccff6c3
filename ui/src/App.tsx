import { Loader, MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { lazy, Suspense, useSyncExternalStore } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import { keys } from './api/key';
import { Mishap } from './layout/Mishap';
import { Shell } from './layout/Shell';
import { SCREENS } from './screens';
import { theme } from './theme/theme';

const KeyDialog = lazy(() => import('./layout/KeyDialog'));

/** Variables and classes are not written at run time: theme-css.ts says why. */
export function App() {
  return (
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      withCssVariables={false}
      withGlobalClasses={false}
    >
      <Shell>
        <Mishap>
          <Suspense fallback={<Loader m="xl" />}>
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
