import { useTranslation } from 'react-i18next';
import { Failure } from '../api/failure';

/** The kinds of failure that the page has words of its own for. */
const KINDS = [
  'unreachable',
  'timeout',
  'nonsense',
  'refused',
  'key',
  'forbidden',
  'large',
  'busy',
  'server',
  'own',
] as const;
export type FailureKind = (typeof KINDS)[number];

export function kindOf(error: unknown): FailureKind {
  if (!(error instanceof Failure)) return 'own';
  if (error.kind !== 'problem') return error.kind;
  const { status } = error;
  if (status === 401) return 'key';
  if (status === 403) return 'forbidden';
  if (status === 413) return 'large';
  if (status === 503 || status === 429) return 'busy';
  return status >= 500 ? 'server' : 'refused';
}

export function useFailureText(error: unknown): { title: string; todo: string } {
  const { t } = useTranslation();
  const kind = kindOf(error);
  return { title: t(`failure.${kind}.title`), todo: t(`failure.${kind}.todo`) };
}
