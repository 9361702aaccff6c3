/** A cell that a person has said something of, as it is kept for review. */
import type { Answer, Cell, Decision } from '../diagnose/cell';
import type { Class } from '../parts/labelledZip';

/** What became of telling the server. `sent` says what was told, so that a change is seen. */
export type Told =
  | { state: 'waiting' }
  | { state: 'sent'; label: Class; patient: string }
  | { state: 'refused'; why: string };

export interface Label {
  /** Of the picture's bytes: the same picture, brought again, is one label. */
  id: string;
  name: string;
  picture: Blob;
  /** What the model had said. */
  said: Answer;
  label: Class;
  patient: string;
  slide: string;
  /** When it was said, in milliseconds since 1970. */
  at: number;
  told: Told;
}

export type Kind = 'corrected' | 'confirmed' | 'open';
export const KINDS: readonly Kind[] = ['corrected', 'open', 'confirmed'];

/** Whether a person said otherwise than the model, the same, or said it where the model had said nothing. */
export function kindOf(label: Label): Kind {
  const { prediction } = label.said;
  if (prediction === null) return 'open';
  return prediction.toLowerCase() === label.label ? 'confirmed' : 'corrected';
}

/** Whether the server has yet to hear of it as it stands. */
export function waits(label: Label): boolean {
  return label.told.state === 'waiting';
}

/** A changed label, to be told anew where what was told is no longer so. */
export function changed(label: Label, some: Partial<Pick<Label, 'label' | 'patient' | 'slide'>>): Label {
  const next = { ...label, ...some };
  const { told } = label;
  const stands = told.state === 'sent' && told.label === next.label && told.patient === next.patient;
  return stands || told.state === 'refused' ? next : { ...next, told: { state: 'waiting' } };
}

export const isClass = (decision: Decision | null): decision is Class =>
  decision === 'parasitized' || decision === 'uninfected';

/** A label as the grid shows cells. */
export function cellOf(label: Label, id: number): Cell {
  return {
    id,
    name: label.name,
    size: label.picture.size,
    load: async () => label.picture,
    answer: label.said,
    trouble: null,
    decision: label.label,
  };
}

/** FNV-1a in two lanes with the length: no secret, and `crypto.subtle` is missing where a page has no certificate. */
export function contentId(bytes: Uint8Array): string {
  let a = 0x811c9dc5;
  let b = 0x9747b28c;
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte, 0x85ebca6b);
  }
  return [a >>> 0, b >>> 0, bytes.length].map((part) => part.toString(16)).join('-');
}
