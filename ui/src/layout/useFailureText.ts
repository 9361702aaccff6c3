import { useTranslation } from 'react-i18next';
import { Failure } from '../api/failure';

/** The kinds of failure that the page has words of its own for. */
const KINDS = [
  'unreachable',
  'timeout',
  'nonsense',
  'refused',
  'picture',
  'gone',
  'conflict',
  'key',
  'forbidden',
  'large',
  'largePicture',
  'busy',
  'server',
  'own',
] as const;
export type FailureKind = (typeof KINDS)[number];

/** The same picture would be refused again. */
export const HOPELESS: readonly FailureKind[] = ['picture', 'largePicture'];

export function kindOf(error: unknown): FailureKind {
  if (!(error instanceof Failure)) return 'own';
  if (error.kind !== 'problem') return error.kind;
  const { status } = error;
  const picture = error.problem?.instance.startsWith('/predict') ?? false;
  if (status === 413) return picture ? 'largePicture' : 'large';
  const known = BY_STATUS[status];
  if (known) return known;
  if (status >= 500) return 'server';
  return picture ? 'picture' : 'refused';
}

const BY_STATUS: Partial<Record<number, FailureKind>> = {
  401: 'key',
  403: 'forbidden',
  404: 'gone',
  409: 'conflict',
  429: 'busy',
  503: 'busy',
};

export function useFailureText(error: unknown): { title: string; todo: string } {
  const { t } = useTranslation();
  const kind = kindOf(error);
  return { title: t(`failure.${kind}.title`), todo: t(`failure.${kind}.todo`) };
}
