import type { Result } from '@stream-infer/proto/stream_infer/v1/result';
import { expect, test } from 'vitest';
import { answerOf } from './answer.ts';

const result = (outcome: Result['outcome']): Result => ({
  invocationId: 'i',
  outcome,
  timings: undefined,
  version: '7',
  snapshot: undefined,
});
const data = (bytes: string | Uint8Array) => answerOf(result({ $case: 'data', value: Buffer.from(bytes) }));
const fault = (code: string, notStarted: boolean) =>
  answerOf(result({ $case: 'fault', value: { code, message: 'it did', notStarted } }));

test('data is parsed and keeps the version', () => {
  expect(data('{"boxes":[]}')).toEqual({ kind: 'data', data: { boxes: [] }, version: '7' });
  expect(data('null')).toEqual({ kind: 'data', data: null, version: '7' });
});

test('what is no JSON, or no text, or too large is an error and not a crash', () => {
  expect(data('{"boxes":')).toMatchObject({ kind: 'error', fault: { code: 'RESULT_NOT_JSON' } });
  expect(data(Uint8Array.of(0x22, 0xff, 0x22))).toMatchObject({ fault: { code: 'RESULT_NOT_JSON' } });
  expect(data(`"${'x'.repeat(2 ** 20)}"`)).toMatchObject({ fault: { code: 'RESULT_TOO_LARGE' } });
  expect(answerOf(result(undefined))).toMatchObject({ kind: 'error', fault: { code: 'ALGORITHM_FAILED' } });
});

test('a fault keeps its code where it is a known one, and is told apart where nothing was started', () => {
  expect(fault('ALGORITHM_TIMEOUT', false)).toMatchObject({ kind: 'error', fault: { code: 'ALGORITHM_TIMEOUT' } });
  expect(fault('E_OTHER', false)).toMatchObject({ fault: { code: 'ALGORITHM_FAILED', message: 'E_OTHER: it did' } });
  expect(fault('NOT_STARTED', true)).toMatchObject({ kind: 'not-started', fault: { code: 'NOT_STARTED' } });
});
