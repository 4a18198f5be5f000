import type { LaneStatus, SourceStatus } from '@stream-infer/bus/announcements';
import type { RunEnd } from '@stream-infer/core/result-record';
import { describe, expect, test } from 'vitest';
import { algorithmsNow, type RunMoment, sourceNow } from './stream-status.ts';

const SOURCE: SourceStatus = {
  stream: 'lobby',
  run: 'r1',
  condition: { state: 'reconnecting', reason: 'refused', sinceMs: 1_700_000_000_000 },
  framesPerSecond: 9.5,
  lastFrameAgeMs: 200,
  decoded: 100,
  published: 10,
  positionSeconds: 10,
  durationSeconds: null,
};
const TOTALS = { triggered: 9, completed: 5, failed: 1, dropped: { replaced: 2 } };
const LANES: LaneStatus = {
  stream: 'lobby',
  run: 'r1',
  algorithms: { faces: { ...TOTALS, lastResultAgeMs: 300, lateMs: 40 } },
};
const END: RunEnd = {
  ...{ stream: 'lobby', run: 'r1', decoded: 120, played: 120, published: 12, lastPlayed: 120, elapsedMs: 1 },
  algorithms: { faces: { triggered: 12, completed: 9, failed: 1, dropped: { replaced: 2 } } },
  fault: null,
};

/** So long after both were told. */
const after = (silentMs: number, more: Partial<RunMoment> = {}): RunMoment => ({
  state: { kind: 'claimed' },
  end: null,
  heard: { source: { status: SOURCE, atMs: 1_000 }, lanes: { status: LANES, atMs: 1_000 } },
  nowMs: 1_000 + silentMs,
  ...more,
});

describe('a source', () => {
  test('is as its ingest told, and its newest frame grows older meanwhile', () => {
    expect(sourceNow(after(500))).toEqual({
      ...{ state: 'reconnecting', reason: 'refused', sinceMs: 1_700_000_000_000 },
      ...{ framesPerSecond: 9.5, decoded: 100, published: 10, lastFrameAgeMs: 700, fault: null, retryInMs: null },
    });
  });

  test('that is lost tells by what, and when it is tried again, as far as its ingest tells that', () => {
    const fault = { code: 'SOURCE_UNREACHABLE', message: 'nobody is there' } as const;
    const lost = (silentMs: number, state?: RunMoment['state']) => {
      const status: SourceStatus = { ...SOURCE, fault, retryInMs: 3_000.4 };
      return sourceNow(after(silentMs, { heard: { source: { status, atMs: 1_000 } }, ...(state && { state }) }));
    };
    expect(lost(1_000)).toMatchObject({ fault, retryInMs: 2_000 });
    expect(lost(4_000)).toMatchObject({ fault, retryInMs: 0 });
    expect(lost(5_000)).toMatchObject({ state: 'unknown', fault: null, retryInMs: null });
    expect(lost(0, { kind: 'failed', fault })).toMatchObject({ state: 'failed', fault: null, retryInMs: null });
  });

  test('that nobody has told of for 5 s is unknown; what was counted stays', () => {
    expect(sourceNow(after(4_999))).toMatchObject({ state: 'reconnecting' });
    expect(sourceNow(after(5_000))).toEqual({
      ...{ state: 'unknown', reason: null, sinceMs: null, framesPerSecond: null, fault: null, retryInMs: null },
      ...{ decoded: 100, published: 10, lastFrameAgeMs: 5_200 },
    });
    expect(sourceNow(after(0, { heard: {} }))).toMatchObject({ state: 'unknown', decoded: null });
  });

  test.each([
    [{ state: { kind: 'ended' } }, { state: 'ended', reason: 'ended', decoded: 100, lastFrameAgeMs: null }],
    [
      { state: { kind: 'ended' }, end: END },
      { state: 'ended', decoded: 120, published: 12 },
    ],
    [
      { state: undefined, end: END, heard: {} },
      { state: 'ended', decoded: 120, lastFrameAgeMs: null },
    ],
    [
      { state: { kind: 'failed', fault: { code: 'SOURCE_LOST', message: 'x' } } },
      { state: 'failed', reason: null, sinceMs: null, framesPerSecond: null },
    ],
    [{ end: { ...END, fault: { code: 'SOURCE_LOST', message: 'x' } } }, { state: 'failed' }],
  ] as const)('of a run that is over is ended or failed, however long ago: %j', (over, expected) => {
    expect(sourceNow(after(60_000, over as Partial<RunMoment>))).toMatchObject(expected);
  });

  test('that failed tells why, where its ingest has', () => {
    const status = { ...SOURCE, condition: { state: 'failed', reason: 'not-found', sinceMs: 5 } } as const;
    const state = { kind: 'failed', fault: { code: 'SOURCE_LOST', message: 'x' } } as const;
    expect(sourceNow(after(0, { state, heard: { source: { status, atMs: 0 } } }))).toMatchObject(status.condition);
  });
});

describe('an algorithm', () => {
  test('is as its scheduler told, and unknown after 5 s of silence', () => {
    expect(algorithmsNow(after(100))).toEqual({
      faces: { ...TOTALS, state: 'followed', lastResultAgeMs: 400, lateMs: 40, lastError: null },
    });
    expect(algorithmsNow(after(5_000))).toMatchObject({
      faces: { state: 'unknown', lastResultAgeMs: 5_300, completed: 5 },
    });
    expect(algorithmsNow(after(0, { heard: {} }))).toEqual({});
  });

  test('that failed tells its last error, at the end of its run too', () => {
    const lastError = { code: 'ALGORITHM_FAILED', message: 'boom' } as const;
    const faces = { ...TOTALS, lastResultAgeMs: 300, lateMs: 40, lastError };
    const heard = { lanes: { status: { ...LANES, algorithms: { faces } }, atMs: 1_000 } };
    for (const more of [{}, { end: END }])
      expect(algorithmsNow(after(0, { heard, ...more }))).toMatchObject({ faces: { lastError } });
  });

  test('of a run that is over has the totals of its end', () => {
    const expected = { state: 'ended', completed: 9, triggered: 12 };
    expect(algorithmsNow(after(0, { end: END }))).toMatchObject({ faces: { ...expected, lateMs: null } });
    expect(algorithmsNow(after(0, { end: END, heard: {} }))).toMatchObject({ faces: { ...expected, lateMs: null } });
  });
});
