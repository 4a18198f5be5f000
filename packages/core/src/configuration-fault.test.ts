import { describe, expect, test } from 'vitest';
import { parseConfiguration, parseValue } from './configuration-fault.ts';
import { Fault } from './fault.ts';
import { streamDefinitionSchema } from './stream-definition.ts';

const algorithm = { name: 'faces', use: 'frame-stats' };
const stream = { id: 'lobby', source: 'lobby.mp4' };

/** The fault of a configuration, as it is printed. */
function faultOf(value: unknown): string {
  try {
    parseConfiguration(value, 'c.yaml');
  } catch (error) {
    if (error instanceof Fault) return error.toString();
    throw error;
  }
  return 'none';
}

describe('an unknown key', () => {
  test.each([
    [
      { algorithms: [{ ...algorithm, frameCuont: 2 }] },
      'algorithms[0].frameCuont is unknown: did you mean frameCount?',
    ],
    [{ algorithms: [algorithm], steams: [] }, 'steams is unknown: did you mean streams?'],
    [
      { algorithms: [algorithm], streams: [{ ...stream, heigth: 4 }] },
      'streams[0].heigth is unknown: did you mean height?',
    ],
    [{ algorithms: [algorithm], collector: { apiport: 1 } }, 'collector.apiport is unknown: did you mean apiPort?'],
    [
      { algorithms: [algorithm], streams: [{ ...stream, algorithms: ['faces', { name: 'faces', az: 'b' }] }] },
      'streams[0].algorithms[1].az is unknown: did you mean as?',
    ],
    [
      { algorithms: [algorithm], streams: [{ id: 'a', sourceFrom: { enb: 'A' } }] },
      'streams[0].sourceFrom.enb is unknown: did you mean env?',
    ],
  ])('is named with its place and the nearest known key: %j', (value, message) => {
    expect(faultOf(value)).toBe(`CONFIG_UNKNOWN_KEY: c.yaml: ${message}`);
  });

  test('is told rather than that the key meant is missing', () => {
    expect(faultOf({ algorithms: [{ name: 'a', us: 'frame-stats' }] })).toBe(
      'CONFIG_UNKNOWN_KEY: c.yaml: algorithms[0].us is unknown: did you mean use?; algorithms[0].use is missing: it must be text',
    );
  });

  test('far from every known key lists them all, those that are given too', () => {
    expect(faultOf({ algorithms: [algorithm], streams: [{ id: 'a', sourceFrom: { env: 'A', vault: 'A' } }] })).toBe(
      'CONFIG_UNKNOWN_KEY: c.yaml: streams[0].sourceFrom.vault is unknown: known are env, file',
    );
  });

  test('is not taken for one that is given', () => {
    const given = { ...stream, algorithms: [{ name: 'a', interval: 1, intervall: 2 }] };
    expect(faultOf({ algorithms: [algorithm], streams: [given] })).not.toMatch(/did you mean interval\?/);
  });
});

describe('a value', () => {
  const withStream = (more: object): object => ({ algorithms: [algorithm], streams: [{ ...stream, ...more }] });
  test.each([
    [
      withStream({ fps: 'fast' }),
      'streams[0].fps is "fast": it must be a number above 0, such as 30, 12.5 or "30000/1001"',
    ],
    [withStream({ fps: 0 }), 'streams[0].fps is 0: it must be a number above 0, such as 30, 12.5 or "30000/1001"'],
    [withStream({ fps: [25] }), 'streams[0].fps is [25]: it must be a number or text'],
    [withStream({ width: 2.5 }), 'streams[0].width is 2.5: it must be a whole number'],
    [withStream({ width: 0 }), 'streams[0].width is 0: it must be at least 1'],
    [withStream({ width: 99999 }), 'streams[0].width is 99999: it must be at most 16384'],
    [
      { algorithms: [algorithm], algoRunner: { modelDevice: 'cuda' } },
      'algoRunner.modelDevice is "cuda": it must be cpu or gpu: did you mean gpu?',
    ],
    [
      withStream({ mode: 'realtme' }),
      'streams[0].mode is "realtme": it must be offline or realtime: did you mean realtime?',
    ],
    [withStream({ mode: 'fast' }), 'streams[0].mode is "fast": it must be offline or realtime'],
    [
      withStream({ pixelFormat: 'rgb' }),
      'streams[0].pixelFormat is "rgb": it must be bgr24, rgb24, gray or yuv420p: did you mean rgb24?',
    ],
    [withStream({ buffer: 'big' }), 'streams[0].buffer is "big": it must be auto or a number'],
    [withStream({ position: -1 }), 'streams[0].position is -1: it must be a number of seconds, 0 or above'],
    [withStream({ algorithms: [] }), 'streams[0].algorithms is []: it must have at least 1 entry'],
    [withStream({ algorithms: [7] }), 'streams[0].algorithms[0] is 7: it must be text or a mapping of keys to values'],
    [
      withStream({ id: 'a b' }),
      'streams[0].id is "a b": it must be 1 to 64 letters, digits, _ or -, beginning with a letter or digit',
    ],
    [{ algorithms: [{ name: 'x' }] }, 'algorithms[0].use is missing: it must be text'],
    [{}, 'algorithms is missing: it must be a list'],
    [{ algorithms: [algorithm], ingest: { httpPort: 'x' } }, 'ingest.httpPort is "x": it must be a number'],
  ])('of the wrong type or range is named with what was given and what is allowed: %j', (value, message) => {
    expect(faultOf(value)).toBe(`CONFIG_INVALID: c.yaml: ${message}`);
  });

  test('that is the whole document is named by the document', () => {
    expect(faultOf(null)).toBe('CONFIG_INVALID: c.yaml is null: it must be a mapping of keys to values');
    expect(() => parseValue(streamDefinitionSchema.shape.fps, '-3', '--fps')).toThrow(
      '--fps is "-3": it must be a number above 0, such as 30, 12.5 or "30000/1001"',
    );
  });

  test('is quoted without its credentials and cut short', () => {
    expect(faultOf(withStream({ mode: 'rtsp://me:secret@camera/' }))).toContain('"rtsp://***@camera/"');
    expect(faultOf(withStream({ mode: 'x'.repeat(500) })).length).toBeLessThan(160);
  });

  test('several problems are all told', () => {
    expect(faultOf(withStream({ width: 0, height: 0, fps: -1 }))).toMatch(
      /streams\[0\]\.fps is -1: .*; streams\[0\]\.width is 0: .*; streams\[0\]\.height is 0: it must be at least 1$/,
    );
  });
});

describe('names', () => {
  test.each([
    [
      { algorithms: [algorithm, algorithm] },
      'CONFIG_DUPLICATE_NAME: c.yaml: algorithms[0] and algorithms[1] are both named faces: give each a name of its own',
    ],
    [
      { algorithms: [algorithm], streams: [stream, { ...stream, source: 'b.mp4' }] },
      'CONFIG_DUPLICATE_NAME: c.yaml: streams[0] and streams[1] both have the id lobby: give each its own',
    ],
    [
      { algorithms: [algorithm], streams: [{ ...stream, algorithms: ['faces', { name: 'faces', interval: 60 }] }] },
      'CONFIG_DUPLICATE_NAME: c.yaml: streams[0].algorithms[0] and [1] both give results named faces: name one of them with "as"',
    ],
    [
      { algorithms: [algorithm], streams: [{ ...stream, algorithms: ['face'] }] },
      'CONFIG_UNKNOWN_ALGORITHM: c.yaml: streams[0].algorithms[0] is face, which algorithms does not define: did you mean faces? it defines faces',
    ],
  ])('stand for one thing each, and exist: %j', (value, fault) => {
    expect(faultOf(value)).toBe(fault);
  });

  test('an algorithm listed twice under two names is no duplicate', () => {
    expect(
      faultOf({
        algorithms: [algorithm],
        streams: [{ ...stream, algorithms: ['faces', { name: 'faces', as: 'hourly' }] }],
      }),
    ).toBe('none');
  });
});
