/** The questions that the page asks about cells. A prediction changes nothing, so it may be asked again. */
import { ask, download } from './client';
import type { BatchAnswer, Health, Predicted, ServedModel, Status } from './types';

export interface Picture {
  name: string;
  data: Blob;
}

export function predict(picture: Picture, signal?: AbortSignal): Promise<Predicted> {
  const body = new FormData();
  body.append('file', picture.data, leaf(picture.name));
  body.append('explain', 'true');
  return ask<Predicted>('/predict', { method: 'POST', body, timeout: 30_000, tries: 3, ...given(signal) });
}

/** Answers come in the order of the pictures. place: whether to tell where each lies on the model's feature map. */
export function predictMany(pictures: Picture[], signal?: AbortSignal, place = false): Promise<BatchAnswer> {
  const body = new FormData();
  for (const [index, picture] of pictures.entries())
    body.append('files', picture.data, `${index}${ending(picture.name)}`);
  return ask<BatchAnswer>(place ? '/predict/batch?place=true' : '/predict/batch', {
    method: 'POST',
    body,
    timeout: 90_000,
    tries: 4,
    ...given(signal),
  });
}

export function sample(count: number, seed: number): Promise<Blob> {
  return download(`/predict/sample?count=${count}&seed=${seed}`, { timeout: 60_000 });
}

export interface Confirmed {
  prediction_id: string;
  label: 'Parasitized' | 'Uninfected';
  by: string;
  site?: string;
  patient?: string;
}

/** Say what a cell was. The same once more changes nothing there, so it may be said again. */
export function confirm(told: Confirmed): Promise<unknown> {
  const headers = { 'Content-Type': 'application/json' };
  return ask('/feedback', { method: 'POST', headers, body: JSON.stringify(told), tries: 3 });
}

export const model = (): Promise<ServedModel> => ask<ServedModel>('/model/info');
export const status = (): Promise<Status> => ask<Status>('/status');
export const health = (signal?: AbortSignal): Promise<Health> =>
  ask<Health>('/health', { tries: 1, timeout: 5_000, ...given(signal) });

/** Without folders: they may name patients, and the server has no use for them. */
function leaf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** Numbers go in place of names, which may name patients, too; the answer is matched by its place. */
function ending(name: string): string {
  return /\.[a-z0-9]{1,5}$/i.exec(name)?.[0] ?? '';
}

function given(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}
