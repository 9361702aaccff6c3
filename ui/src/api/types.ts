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
export type UploadNeeds = Schemas['UploadNeeds'];
export type Problem = Schemas['Problem'];
export type Summary = Schemas['SummaryAnswer'];
export type Step = Schemas['Step'];
export type Quality = Schemas['QualityAnswer'];
export type Figures = Schemas['Figures'];
export type Figure = Schemas['Figure'];
export type Accepted = Schemas['Accepted'];
export type TaskBrief = Schemas['TaskBrief'];
export type Task = Schemas['Task'];
export type TaskList = Schemas['TaskList'];
export type JobState = Schemas['JobState'];
export type Verdict = Schemas['Verdict'];
export type Receipt = Schemas['Receipt'];
export type Rule = Schemas['Rule'];
export type Advised = Schemas['AdvisedPiece'];
export type UploadTicket = Schemas['UploadTicket'];
export type UploadState = Schemas['UploadState'];
/** What may be chosen about a retraining; what is left out is for the server to choose. */
export type Chosen = Partial<
  Omit<{ [K in keyof Schemas['UploadRequest']]: NonNullable<Schemas['UploadRequest'][K]> }, 'name'>
>;
export type ModelList = Schemas['ModelList'];
export type ModelSummary = Schemas['ModelSummary'];
export type PromotionEntry = Schemas['PromotionEntry'];
export type ModelCard = Schemas['ModelCard'];
export type Changed = Schemas['Changed'];
export type FeatureMap = Schemas['MapAnswer'];
export type VersionCurves = Schemas['VersionCurves'];
export type SetCurves = Schemas['SetCurves'];
