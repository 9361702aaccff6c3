/** The shapes of the server, by the names that the page uses. */
import type { components } from './schema';

type Schemas = components['schemas'];
export type Predicted = Schemas['Predicted'];
export type BatchAnswer = Schemas['BatchAnswer'];
export type BatchEntry = Schemas['BatchEntry'];
export type Explanation = Schemas['Explanation'];
export type ServedModel = Schemas['ServedModel'];
export type Status = Schemas['Status'];
export type Health = Schemas['Health'];
export type Problem = Schemas['Problem'];
export type Summary = Schemas['SummaryAnswer'];
export type Step = Schemas['Step'];
export type Quality = Schemas['QualityAnswer'];
export type Figures = Schemas['Figures'];
export type Figure = Schemas['Figure'];
