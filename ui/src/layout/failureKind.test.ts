import { describe, expect, it } from 'vitest';
import { Failure } from '../api/failure';
import { kindOf } from './useFailureText';

function refused(status: number, instance: string): Failure {
  const problem = {
    type: 't',
    title: '',
    status,
    detail: '',
    instance,
    code: '',
    request_id: '',
    errors: null,
  };
  return new Failure('problem', problem);
}

describe('the words for a failure', () => {
  it('fit what was refused: a picture can be exchanged, a promotion cannot', () => {
    expect(kindOf(refused(422, '/predict'))).toBe('picture');
    expect(kindOf(refused(413, '/predict/batch'))).toBe('largePicture');
    expect(kindOf(refused(422, '/models/v1/promote'))).toBe('refused');
    expect(kindOf(refused(413, '/retrain'))).toBe('large');
  });

  it('tell what is not there, or not possible now, from what is wrong', () => {
    expect(kindOf(refused(404, '/retrain/status/none'))).toBe('gone');
    expect(kindOf(refused(409, '/models/v1/promote'))).toBe('conflict');
    expect(kindOf(refused(500, '/predict'))).toBe('server');
  });

  it('are of the page itself where no server was asked', () => {
    expect(kindOf(new Error('gone'))).toBe('own');
  });
});
