/** Takes in what a person brings, whichever way: says what was left out, and asks before anything would be lost. */
import { notifications } from '@mantine/notifications';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { sample } from '../api/cells';
import { gather } from './intake';
import { sessions } from './session';

const BROKEN = 'intake-broken';

export interface Intake {
  /** Cells are being read from files, or fetched. */
  busy: boolean;
  error: unknown;
  /** Asks first where something would be lost. */
  bring: (files: readonly File[]) => void;
  /** Without asking. */
  replace: (files: readonly File[]) => void;
  sample: (count: number) => void;
}

export function useIntake(onPrecious: (files: File[]) => void): Intake {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const during = useCallback(async (work: () => Promise<void>) => {
    setBusy(true);
    setError(null);
    try {
      await work();
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  }, []);

  const take = useCallback(
    async (files: readonly File[]) => {
      const { cells, skipped, broken } = await gather(files);
      notifications.hide(BROKEN);
      if (broken.length > 0)
        notifications.show({
          id: BROKEN,
          color: 'red',
          autoClose: false,
          title: t('intake.broken'),
          message: t('intake.brokenTodo', { name: broken.join(', ') }),
        });
      if (skipped.length > 0)
        notifications.show({ autoClose: 15_000, message: t('intake.skipped', { count: skipped.length }) });
      if (cells.length > 0) sessions.open(cells);
      else if (broken.length === 0) notifications.show({ color: 'red', message: t('intake.none') });
    },
    [t],
  );

  const replace = useCallback((files: readonly File[]) => void during(() => take(files)), [during, take]);
  const bring = useCallback(
    (files: readonly File[]) => {
      if (files.length === 0) return;
      if (sessions.precious()) onPrecious([...files]);
      else replace(files);
    },
    [onPrecious, replace],
  );
  const fetchSample = useCallback(
    (count: number) =>
      void during(async () => {
        const seed = Math.floor(Math.random() * 2 ** 31);
        bring([new File([await sample(count, seed)], 'synthetic.zip')]);
      }),
    [during, bring],
  );
  usePaste(bring);
  return useMemo(
    () => ({ busy, error, bring, replace, sample: fetchSample }),
    [busy, error, bring, replace, fetchSample],
  );
}

/** Ctrl-V anywhere on the screen. */
function usePaste(bring: (files: readonly File[]) => void): void {
  useEffect(() => {
    function paste(event: ClipboardEvent) {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      bring(files);
    }
    window.addEventListener('paste', paste);
    return () => window.removeEventListener('paste', paste);
  }, [bring]);
}
