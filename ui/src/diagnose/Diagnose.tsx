/** The first screen: bring cells, see what the model says of them, say what they are. */
import { Loader } from '@mantine/core';
import { lazy, Suspense, useEffect, useState, useSyncExternalStore } from 'react';
import { withWords } from '../i18n';
import { Anywhere, loadReplace } from './Anywhere';
import { Bring } from './Bring';
import { sessions } from './session';
import { useIntake } from './useIntake';

const loadSingle = () => withWords(import('./Single'));
const loadMany = () => withWords(import('./Many'));
const Single = lazy(loadSingle);
const Many = lazy(loadMany);

export default function Diagnose() {
  const session = useSyncExternalStore(sessions.subscribe, sessions.current);
  const [replacing, setReplacing] = useState<File[] | null>(null);
  const intake = useIntake(setReplacing);
  useAhead();
  return (
    <>
      <Anywhere intake={intake} replacing={replacing} onAnswered={() => setReplacing(null)} />
      <Suspense fallback={<Loader m="xl" />}>
        {session.kind === 'empty' ? <Bring intake={intake} /> : null}
        {session.kind === 'single' ? <Single cell={session.cell} intake={intake} /> : null}
        {session.kind === 'many' ? <Many run={session.run} /> : null}
      </Suspense>
    </>
  );
}

/** What the next step needs is fetched while a person looks for their pictures. */
function useAhead(): void {
  useEffect(() => {
    const timer = setTimeout(() => {
      for (const load of [loadSingle, loadMany, loadReplace]) load().catch(() => {}); // asked for again when it is needed
    }, 1500);
    return () => clearTimeout(timer);
  }, []);
}
