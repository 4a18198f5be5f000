import type { AlgorithmNow, StreamReport } from '@stream-infer/core/stream-report';
import { expect, test } from 'vitest';
import { statusLine, streamTable, streamText } from './stream-text.ts';

const LOBBY: StreamReport = {
  ...{ id: 'lobby', run: 'r1', state: 'running', results: 12, errors: 1, end: null, fault: null, revision: 3 },
  source: {
    ...{ state: 'playing', reason: 'frames', sinceMs: 1_700_000_000_000, framesPerSecond: 9.96 },
    ...{ decoded: 120, published: 24, lastFrameAgeMs: 80, fault: null, retryInMs: null },
  },
  algorithms: {
    faces: {
      ...{ state: 'followed', lastResultAgeMs: 420, lateMs: 1_500, lastError: null },
      ...{ triggered: 15, completed: 11, failed: 1, dropped: { replaced: 2, stale: 1 } },
    },
  },
  definition: { id: 'lobby', source: 'rtsp://***@camera/1', mode: 'realtime', algorithms: ['faces'] },
  owner: 'site',
};
const WAITING: StreamReport = {
  ...LOBBY,
  ...{ id: 'gate', run: null, state: 'waiting', results: 0, errors: 0, source: null, algorithms: {}, owner: null },
  definition: { id: 'gate', sourceFrom: { env: 'GATE_URL' }, mode: 'realtime' },
};

test('a line tells what a stream is doing now', () => {
  expect(statusLine(LOBBY)).toBe(
    'lobby  playing  10.0 fps, 120 frames decoded, 24 needed and published, the last 0.1 s ago  faces: 11 results, 1 failed, 3 dropped, the last 0.4 s ago, 1.5 s late',
  );
  expect(statusLine(WAITING)).toBe('gate  waiting');
  const source = { ...LOBBY.source, state: 'reconnecting', reason: 'refused', framesPerSecond: 0 } as const;
  expect(statusLine({ ...LOBBY, source: source as StreamReport['source'], algorithms: {} })).toMatch(
    /^lobby {2}reconnecting, refused {2}0.0 fps, 120 frames decoded/,
  );
  expect(statusLine({ ...LOBBY, definition: null, state: 'ended', source: null })).toMatch(
    /^lobby {2}removed, ended {2}faces/,
  );
});

test('a table has a line for each, and text says all of one', () => {
  expect(streamTable([LOBBY, WAITING]).split('\n')).toEqual([
    'stream  mode      state    source                 owner   fps  results  errors',
    'lobby   realtime  playing  rtsp://***@camera/1    site   10.0       12       1',
    'gate    realtime  waiting  the variable GATE_URL                     0       0',
  ]);
  const failed = { ...WAITING, state: 'failed', fault: { code: 'SOURCE_NOT_FOUND', message: 'gone' } } as const;
  expect(streamTable([failed])).toContain('gate    realtime  failed, SOURCE_NOT_FOUND  the variable GATE_URL');
  expect(streamTable([])).toContain('streams add');
  expect(streamTable([WAITING], 2).split('\n').slice(2)).toEqual([
    'and 2 removed, of which results are left: --all lists them too',
  ]);
  const fault = { code: 'SOURCE_LOST', message: 'it went' } as const;
  expect(streamText({ ...LOBBY, fault })).toMatch(
    /since +2023-11-14T22:13:20.000Z\n(.*\n)*algorithm +faces: 11 results.*\nfault +SOURCE_LOST: it went$/,
  );
});

test('of a source that is lost all is told by what, and when it is tried again', () => {
  const fault = { code: 'SOURCE_UNAUTHORIZED', message: 'rtsp://***@camera/1 refuses the credentials' } as const;
  const lost = { ...LOBBY.source, state: 'reconnecting', reason: 'unauthorized', fault } as StreamReport['source'];
  const text = (retryInMs: number | null | undefined) =>
    streamText({ ...LOBBY, source: { ...lost, retryInMs } as StreamReport['source'] });
  expect(text(125_000)).toMatch(
    /^lost by +SOURCE_UNAUTHORIZED: rtsp:\/\/\*\*\*@camera\/1 refuses.*\nnext try +in 2 min 05 s$/m,
  );
  expect(text(0)).toMatch(/^next try +now$/m);
  // Collectors of older versions tell neither.
  expect(streamText({ ...LOBBY, source: { ...LOBBY.source, fault: undefined } as never })).not.toContain('lost by');
  expect(text(undefined)).not.toContain('next try');
});

test('of an algorithm that failed the last error is told', () => {
  const { faces } = LOBBY.algorithms;
  const lastError = { code: 'ALGORITHM_FAILED', message: 'boom' } as const;
  const text = streamText({ ...LOBBY, algorithms: { faces: { ...faces, lastError } as AlgorithmNow } });
  expect(text).toMatch(/^algorithm +faces: 11 results.*\nlast error +faces: ALGORITHM_FAILED: boom$/m);
  expect(streamText(LOBBY)).not.toContain('last error');
});
