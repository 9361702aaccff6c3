/** Everything that can go wrong between the page and the server, in one shape that a person can be shown. */
import type { Problem } from './types';

export type Kind = 'problem' | 'unreachable' | 'timeout' | 'nonsense';

export class Failure extends Error {
  override readonly name = 'Failure';

  constructor(
    readonly kind: Kind,
    readonly problem: Problem | null = null,
    /** Seconds that the server asks to wait. */
    readonly after: number | null = null,
  ) {
    super(problem?.detail ?? kind);
  }

  get status(): number {
    return this.problem?.status ?? 0;
  }

  /** Whether the same request may succeed if it is sent again. */
  get passing(): boolean {
    return this.kind !== 'problem' || this.status === 429 || this.status === 408 || this.status >= 500;
  }
}

/** The failure that an answer tells. A proxy in between may answer with something that is no problem document. */
export async function told(response: Response): Promise<Failure> {
  const after = Number(response.headers.get('retry-after') ?? Number.NaN);
  const wait = Number.isFinite(after) ? after : null;
  try {
    const problem = (await response.json()) as Problem;
    if (typeof problem.code === 'string') return new Failure('problem', problem, wait);
  } catch {
    // no JSON: told below by its status alone
  }
  return new Failure('problem', bare(response), wait);
}

function bare(response: Response): Problem {
  return {
    type: 'about:blank',
    title: response.statusText,
    status: response.status,
    detail: '',
    instance: new URL(response.url || 'http://-/').pathname,
    code: `http-${response.status}`,
    request_id: response.headers.get('x-request-id') ?? '',
    errors: null,
  };
}
