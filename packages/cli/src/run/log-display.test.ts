import { Fault } from '@stream-infer/core/fault';
import { expect, test, vi } from 'vitest';
import { type LogLevel, type LogLine, parseLogLine, restartLine } from '../system/log-line.ts';
import { createLogDisplay, logLevels } from './log-display.ts';

function display(live: boolean, ...lines: object[]) {
  return displayAt('warn', live, ...lines);
}

function displayAt(algorithmLevel: LogLevel, live: boolean, ...lines: object[]) {
  const shown: string[] = [];
  const logs = createLogDisplay({ line: (text) => void shown.push(text) }, { live, algorithmLevel });
  for (const line of lines) logs.onLog(logLine(line));
  return { shown, logs };
}

const logLine = (line: object): LogLine =>
  parseLogLine(JSON.stringify({ time: 't', service: 's', ...line })) as LogLine;

const failed = { level: 'warn', code: 'ALGORITHM_FAILED', msg: 'boom', stream: 'lobby' };

test('a failed invocation is shown as it comes where no end is near, and else told at the end alone', () => {
  expect(display(true, failed).shown).toEqual(['ALGORITHM_FAILED: stream lobby: boom']);
  expect(display(false, failed).shown).toEqual([]);
});

test('a source that fails is shown at once, its stream named once, and known as shown', () => {
  const { shown, logs } = display(
    false,
    { level: 'error', code: 'SOURCE_LOST', msg: 'gone', stream: 'lobby' },
    { level: 'error', code: 'SOURCE_LOST', msg: 'lobby.mp4 is gone', stream: 'lobby' },
  );
  expect(shown).toEqual(['SOURCE_LOST: stream lobby: gone', 'SOURCE_LOST: lobby.mp4 is gone']);
  expect(logs.hasShown('SOURCE_LOST: lobby.mp4 is gone')).toBe(true);
  expect(logs.hasShown('SOURCE_LOST: another')).toBe(false);
});

test('that each of several processes died is told, however often another one did', () => {
  const { shown, logs } = display(true);
  const died = (name: string) => logs.onLog(restartLine(name, new Fault('SERVICE_DIED', `${name} ended by SIGKILL`)));
  for (const name of ['a', 'a', 'a', 'a', 'b', 'c', 'nats-server']) died(name);
  logs.flush();
  const told = (name: string) => `SERVICE_DIED: ${name} ended by SIGKILL: it is started again`;
  expect(shown).toEqual([
    ...[told('a'), told('a'), told('a'), told('b'), told('c'), told('nats-server')],
    'SERVICE_DIED of a: 1 more of these',
  ]);
});

test('a live source that is away is told of once for each fault, and when it is back', () => {
  const place = { stream: 'gate', run: 'r1' };
  const refused = { level: 'error', code: 'SOURCE_UNREACHABLE', msg: 'gate refuses the connection', ...place };
  const source = (state: string) => ({ level: 'info', msg: 'source', state, reason: 'x', ...place });
  const lost = { ...refused, code: 'SOURCE_LOST', msg: 'gate was lost after 3 s' };
  const { shown } = display(
    true,
    ...[source('connecting'), source('playing'), lost, source('reconnecting'), refused, refused, refused, refused],
    ...[source('playing'), source('playing'), lost, { ...refused, run: 'r2' }],
  );
  expect(shown).toEqual([
    'SOURCE_LOST: gate was lost after 3 s',
    'SOURCE_UNREACHABLE: gate refuses the connection',
    'stream gate: its source is back',
    'SOURCE_LOST: gate was lost after 3 s',
    'SOURCE_UNREACHABLE: gate refuses the connection',
  ]);
});

test('what the bus does to all sources is told once, and that they play again', () => {
  const message = 'the frame buffer is gone: the frames in flight are lost';
  const lost = (stream: string) => ({ level: 'error', code: 'BUS_FAILED', msg: message, stream, run: `${stream}-1` });
  const playing = (stream: string) => ({ level: 'info', msg: 'source', state: 'playing', stream, run: `${stream}-1` });
  vi.useFakeTimers();
  try {
    const { shown, logs } = display(true, ...['a', 'b', 'c', 'd', 'e'].map(lost), playing('a'), lost('f'), lost('a'));
    expect(shown.splice(0)).toEqual([`BUS_FAILED: ${message}`, 'stream a: it plays again']);
    for (const stream of ['a', 'b', 'c', 'd', 'e', 'f', 'f']) logs.onLog(logLine(playing(stream)));
    logs.flush();
    const again = 'streams that play again: 4 more of these';
    expect(shown.splice(0)).toEqual(['stream a: it plays again', 'stream b: it plays again', again]);
    vi.advanceTimersByTime(30_000);
    logs.onLog(logLine(lost('a')));
    expect(shown).toEqual([`BUS_FAILED: ${message}`]);
  } finally {
    vi.useRealTimers();
  }
});

test('warnings without a code tell their fields, what is less severe is left out', () => {
  const { shown } = display(
    false,
    { level: 'warn', msg: 'results are late', stream: 'lobby', worstMs: 12 },
    { level: 'info', msg: 'started', addresses: { http: 'http://127.0.0.1:1' } },
    { level: 'debug', msg: 'x' },
  );
  expect(shown).toEqual(['warning: results are late, stream lobby, worstMs 12']);
});

test("an algorithm's own lines are shown from the level that is asked for, and no others", () => {
  const lines = [
    { level: 'info', msg: 'started', addresses: {} },
    { level: 'info', msg: 'model loaded', algorithm: 'faces', classes: 3 },
    { level: 'debug', msg: 'detail', algorithm: 'faces' },
  ];
  expect(displayAt('info', false, ...lines).shown).toEqual(['info: model loaded, algorithm faces, classes 3']);
  expect(displayAt('debug', false, ...lines).shown).toHaveLength(2);
  expect(display(false, ...lines).shown).toEqual([]);
  expect(logLevels('info')).toEqual({ algorithmLevel: 'info', serviceLevel: 'info' });
  expect(logLevels('debug')).toEqual({ algorithmLevel: 'debug', serviceLevel: 'debug' });
  // What a run learns from the lines of its services it needs at any level.
  expect(logLevels('error')).toEqual({ algorithmLevel: 'error', serviceLevel: 'info' });
  expect(logLevels(undefined)).toEqual({ algorithmLevel: 'warn', serviceLevel: 'info' });
});

test('where an algorithm threw first is kept, and told with a failure that is shown', () => {
  const threw = { ...failed, algorithm: 'faces', at: '/t.mjs:3:7' };
  const { shown, logs } = display(true, threw, { ...threw, at: '/t.mjs:9:1' });
  expect(shown[0]).toBe('ALGORITHM_FAILED: stream lobby: boom (at /t.mjs:3:7)');
  expect(logs.placeOf('faces', 'ALGORITHM_FAILED')).toBe('/t.mjs:3:7');
  expect(logs.placeOf('faces', 'ALGORITHM_TIMEOUT')).toBeUndefined();
});

test('log lines are told from prints, and their addresses read', () => {
  expect(parseLogLine('a print of a module')).toBeUndefined();
  expect(parseLogLine('{"not": "a log line"}')).toBeUndefined();
  expect(parseLogLine('{broken')).toBeUndefined();
  expect(parseLogLine('{"level":"info","msg":"started","addresses":{"api":"http://a"}}')).toMatchObject({
    message: 'started',
    addresses: { api: 'http://a' },
  });
  expect(parseLogLine('{"level":"fatal","msg":"m","code":"NO_SUCH_CODE"}')?.code).toBeUndefined();
});
