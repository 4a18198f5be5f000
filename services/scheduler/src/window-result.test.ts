import { Fault } from '@stream-infer/core/fault';
import { rational } from '@stream-infer/core/rational';
import type { ResultRecord } from '@stream-infer/core/result-record';
import { expect, test } from 'vitest';
import { errorAnswer } from './answer.ts';
import type { BufferedFrame } from './invocation-message.ts';
import { recordBytes, recordOf } from './window-result.ts';

const frame = (n: number): BufferedFrame => ({
  n,
  sequence: n,
  header: {
    kind: 'frame',
    run: 'r',
    epoch: 1,
    n,
    previous: n - 1,
    sourceIndex: 2 * n,
    presentationTimeUs: 33_366 * n,
    capturedAtMs: 1_700_000_000_000 + n,
    ageMs: 0,
    size: { width: 4, height: 2 },
    pixelFormat: 'gray',
    encoding: 'raw',
    sourceSize: { width: 8, height: 4 },
  },
});
const place = { stream: 'lobby', run: 'r', frames: 'F', fps: rational(30000, 1001) };
const trigger = { n: 30, frames: [frame(28), frame(30)], triggeredAtMs: 0, capturedAtMs: 0 };
const parse = (bytes: Uint8Array): ResultRecord => JSON.parse(new TextDecoder().decode(bytes)) as ResultRecord;

test('a record speaks of the newest frame', () => {
  const answer = { kind: 'data', data: [1], version: '2' } as const;
  expect(recordOf(place, 'a', trigger, answer, { attempts: 2, lateMs: 40 })).toEqual({
    stream: 'lobby',
    run: 'r',
    algorithm: 'a',
    n: 30,
    key: '1.001',
    sourceIndex: 60,
    timestampMs: 1000.98,
    capturedAtMs: 1_700_000_000_030,
    data: [1],
    attempts: 2,
    lateMs: 40,
    stateReset: false,
    version: '2',
  });
});

test('offline there is no wall clock and no lateness, and an error stands in place of data', () => {
  const answer = errorAnswer(new Fault('ALGORITHM_FAILED', 'it threw'));
  const record = recordOf(place, 'a', trigger, answer, { attempts: 1, lateMs: null });
  expect(record).toMatchObject({ capturedAtMs: null, lateMs: null, version: '' });
  expect(record.error).toEqual({ code: 'ALGORITHM_FAILED', message: 'it threw' });
  expect(recordBytes(record, 1_000).error).toEqual(record.error);
});

test('what the bus does not take, or canonical JSON does not hold, becomes an error of the same window', () => {
  const record = (data: string) =>
    recordOf(place, 'a', trigger, { kind: 'data', data, version: '2' }, { attempts: 1, lateMs: null });
  expect(recordBytes(record('x'), 1_000).error).toBeUndefined();
  const large = recordBytes(record('x'.repeat(1_000)), 1_000);
  expect(large.error?.code).toBe('RESULT_TOO_LARGE');
  expect(parse(large.bytes)).toMatchObject({ n: 30, error: { code: 'RESULT_TOO_LARGE' } });
  expect(parse(large.bytes)).not.toHaveProperty('data');
  expect(parse(recordBytes(record('\ud800'), 1_000).bytes).error?.code).toBe('RESULT_NOT_JSON');
});
