import { Fault, type FaultJson } from '@stream-infer/core/fault';
import type { AlgorithmTotals } from '@stream-infer/core/result-record';
import { describe, expect, test } from 'vitest';
import { streamSpec } from '../../../../test/model/specs.ts';
import type { StreamResult } from './run-result.ts';
import { summarize, summaryTable } from './run-summary.ts';
import { judge } from './verdict.ts';

const spec = streamSpec({ source: 'rtsp://me:secret@camera/1', algorithms: [] });

function result(totals: Partial<AlgorithmTotals>, fault: FaultJson | null = null): StreamResult {
  return {
    spec,
    progress: {
      run: 'r1',
      playing: {
        kind: 'playing',
        source: { width: 4, height: 2, fps: '30', sampling: 'index', timeBase: '1/30', live: false, codec: 'h264' },
        frame: { width: 4, height: 2, pixelFormat: 'bgr24', encoding: 'raw', bytesPerFrame: 24 },
        frames: 'F',
        capacity: 8,
        notices: ['the size was reduced'],
      },
      status: undefined,
      results: 0,
      isCut: false,
      isOver: true,
      fault: undefined,
    },
    end: {
      stream: 'lobby',
      run: 'r1',
      decoded: 300,
      played: 300,
      published: 10,
      lastPlayed: 300,
      algorithms: { faces: { triggered: 10, completed: 10, failed: 0, dropped: {}, ...totals } },
      elapsedMs: 2000,
      fault,
    },
    firstErrors: new Map([['faces', { key: '1.5', error: { code: 'ALGORITHM_FAILED', message: 'boom' } }]]),
  };
}

const lines = (faults: readonly Fault[]): string[] => faults.map(String);

describe('the verdict', () => {
  test('of a run without faults is 0', () => {
    expect(judge([result({})], { strict: true })).toEqual({ faults: [], exitStatus: 0 });
  });

  test('of a run with some failed invocations is 0, or 1 when strict, and tells the first', () => {
    const some = result({ completed: 7, failed: 3 });
    expect(judge([some], { strict: false }).exitStatus).toBe(0);
    expect(judge([some], { strict: true }).exitStatus).toBe(1);
    expect(lines(judge([some], { strict: false }).faults)).toEqual([
      'ALGORITHM_FAILED: stream lobby, algorithm faces: 3 of 10 invocations failed, first at 1.5 s: boom',
    ]);
  });

  test('of an algorithm that never succeeded is 1, of one that was never due 0', () => {
    const never = judge([result({ completed: 0, failed: 10 })], { strict: false });
    expect(never.exitStatus).toBe(1);
    expect(lines(never.faults)[1]).toMatch(/^ALGORITHM_NEVER_SUCCEEDED: stream lobby, algorithm faces: none of 10/);
    expect(judge([result({ triggered: 0, completed: 0 })], { strict: true }).exitStatus).toBe(0);
  });

  test('of a damaged source is 0, or 1 when strict', () => {
    const damaged = result({}, { code: 'SOURCE_DAMAGED', message: 'stream lobby: 2 frames are lost at 0:03' });
    expect(judge([damaged], { strict: false }).exitStatus).toBe(0);
    expect(judge([damaged], { strict: true }).exitStatus).toBe(1);
    expect(lines(judge([damaged], { strict: false }).faults)).toEqual([
      'SOURCE_DAMAGED: stream lobby: 2 frames are lost at 0:03',
    ]);
  });

  test('of a source that cannot be played, or a service that died, is that of the fault', () => {
    const gone = result({}, { code: 'SOURCE_NOT_MEDIA', message: 'no video' });
    expect(judge([result({}), gone], { strict: false }).exitStatus).toBe(3);
    expect(lines(judge([gone], { strict: false }).faults)).toEqual(['SOURCE_NOT_MEDIA: stream lobby: no video']);
    expect(judge([gone], { strict: false, systemFault: new Fault('SERVICE_DIED', 'x') }).exitStatus).toBe(4);
  });
});

test('a source that was stopped by an interrupt is no fault', () => {
  const cut = result({}, { code: 'SOURCE_LOST', message: 'not played to its end' });
  expect(judge([cut], { strict: true, interrupted: true })).toEqual({ faults: [], exitStatus: 0 });
  expect(judge([cut], { strict: false }).exitStatus).toBe(3);
});

describe('the summary', () => {
  const summary = (totals: Partial<AlgorithmTotals> = {}) =>
    summarize({ results: [result(totals)], output: '/r.json', annotations: new Map(), faults: [], exitStatus: 0 });

  test('tells figures by stream and algorithm, and no credentials (I8)', () => {
    expect(summary()).toEqual({
      streams: {
        lobby: {
          source: 'rtsp://***@camera/1',
          mode: 'offline',
          run: 'r1',
          decoded: 300,
          played: 300,
          published: 10,
          elapsedMs: 2000,
          videoSeconds: 10,
          realtimeFactor: 5,
          algorithms: { faces: { triggered: 10, completed: 10, failed: 0, dropped: {} } },
          notices: ['the size was reduced'],
          fault: null,
        },
      },
      output: '/r.json',
      annotations: {},
      faults: [],
      exitStatus: 0,
    });
  });

  test('as a table has a row for each algorithm, and drops where there are any', () => {
    expect(summaryTable(summary())).toBe(
      [
        'stream  algorithm  frames  invocations  results  errors  elapsed  × realtime',
        'lobby   faces         300           10       10       0    2.0 s         5.0',
      ].join('\n'),
    );
    expect(summaryTable(summary({ completed: 4, dropped: { replaced: 5, stale: 1 } }))).toMatch(/dropped[\s\S]* 6 /);
  });
});
