import { describe, expect, it } from 'vitest';
import { answer } from '../diagnose/made';
import { changed, contentId, kindOf, type Label, waits } from './label';

function label(given: Partial<Label> = {}): Label {
  return {
    id: '1',
    name: 'a.png',
    picture: new Blob(['a']),
    said: answer(0.9),
    label: 'parasitized',
    patient: '',
    slide: '',
    at: 0,
    told: { state: 'sent', label: 'parasitized', patient: '' },
    ...given,
  };
}

describe('a label', () => {
  it('corrects, confirms, or speaks where the model said nothing', () => {
    expect(kindOf(label())).toBe('confirmed');
    expect(kindOf(label({ label: 'uninfected' }))).toBe('corrected');
    expect(kindOf(label({ said: answer(null) }))).toBe('open');
  });

  it('is told anew when what was told is no longer so', () => {
    expect(waits(changed(label(), { label: 'uninfected' }))).toBe(true);
    expect(waits(changed(label(), { patient: 'k-1' }))).toBe(true);
  });

  it('is not told anew for what the server is not told', () => {
    expect(waits(changed(label(), { slide: 'S7' }))).toBe(false);
    expect(waits(changed(label(), { label: 'parasitized' }))).toBe(false);
  });

  it('is not sent again and again where the server refused it', () => {
    const refused = label({ told: { state: 'refused', why: 'signed elsewhere' } });
    expect(waits(changed(refused, { label: 'uninfected' }))).toBe(false);
  });
});

describe('the id of a picture', () => {
  const id = (text: string) => contentId(new TextEncoder().encode(text));
  it('is that of its bytes', () => {
    expect(id('cell')).toBe(id('cell'));
    expect(new Set(['cell', 'cel', 'celm', 'lcel', ''].map(id)).size).toBe(5);
  });
});
