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
export type Task = Schemas['Task'];
export type TaskAccepted = Schemas['Accepted'];
export type UploadTicket = Schemas['UploadTicket'];
export type UploadState = Schemas['UploadState'];
export type Changed = Schemas['Changed'];
export type UploadNeeds = Schemas['UploadNeeds'];
export type Problem = Schemas['Problem'];
