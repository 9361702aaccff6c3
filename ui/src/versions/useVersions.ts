/** All kept versions, and what was served when. */
import type { ModelList } from '../api/types';
import { type Answered, useAnswer } from '../api/useAnswer';

const EVERY = 10_000;

export const useVersions = (): Answered<ModelList> => useAnswer<ModelList>('/models?limit=1000', EVERY);
