import { describe, expect, test } from 'vitest';
import { parseConfiguration } from './configuration-fault.ts';
import { resolveStreams } from './resolve-streams.ts';
import type { StreamSpec } from './stream-spec.ts';

const algorithm = { name: 'faces', use: 'frame-stats' };

function resolve(stream: object, ...algorithms: object[]): readonly StreamSpec[] {
  const configuration = parseConfiguration(
    {
      algorithms: algorithms.length ? algorithms : [algorithm],
      streams: [{ id: 'lobby', source: 'lobby.mp4', ...stream }],
    },
    'c.yaml',
  );
  return resolveStreams(configuration, (path) => `/base/${path}`);
}

const only = ([spec]: readonly StreamSpec[]) => spec;

describe('defaults', () => {
  test('are filled in, and paths are absolute', () => {
    expect(resolve({})).toEqual([
      {
        id: 'lobby',
        source: '/base/lobby.mp4',
        mode: 'offline',
        pixelFormat: 'bgr24',
        encoding: 'raw',
        position: '0',
        videoStream: 0,
        algorithms: [
          {
            name: 'faces',
            definition: 'faces',
            frameCount: 1,
            frameStep: 0,
            intervalFrames: 1,
            timeoutMs: 10_000,
            maxInFlight: 8,
            maxAttempts: 3,
          },
        ],
      },
    ]);
  });

  test('take the mode from the source: files are offline, everything else is live', () => {
    expect(only(resolve({ source: 'rtsp://camera/1' }))).toMatchObject({ mode: 'realtime', source: 'rtsp://camera/1' });
    expect(only(resolve({ source: '/dev/video0' }))).toMatchObject({ mode: 'realtime', source: '/dev/video0' });
    expect(only(resolve({ source: undefined, sourceFrom: { file: 'url.txt' } }))).toMatchObject({
      mode: 'realtime',
      sourceFrom: { file: '/base/url.txt' },
    });
    expect(only(resolve({ mode: 'realtime' }))?.algorithms[0]?.maxInFlight).toBe(2);
  });

  test('a stream without a list of its own runs every algorithm', () => {
    const { algorithms } = only(resolve({}, algorithm, { ...algorithm, name: 'b' })) ?? {};
    expect(algorithms?.map(({ name }) => name)).toEqual(['faces', 'b']);
  });
});

describe('a stream with a list of its own', () => {
  test("overrides what it says, and its interval replaces the definition's, whichever unit", () => {
    const spec = only(
      resolve(
        {
          algorithms: [
            'faces',
            { name: 'faces', as: 'hourly', interval: 3600 },
            { name: 'slow', intervalFrames: 5, timeoutMs: 7, maxAttempts: 1, maxStalenessMs: 250 },
          ],
        },
        { ...algorithm, intervalFrames: 3 },
        { ...algorithm, name: 'slow', interval: 0.5, frameCount: 4, frameStep: 2, maxInFlight: 1 },
      ),
    );
    expect(spec?.algorithms).toEqual([
      expect.objectContaining({ name: 'faces', definition: 'faces', intervalFrames: 3 }),
      expect.objectContaining({ name: 'hourly', definition: 'faces', interval: '3600' }),
      {
        name: 'slow',
        definition: 'slow',
        frameCount: 4,
        frameStep: 2,
        intervalFrames: 5,
        timeoutMs: 7,
        maxInFlight: 1,
        maxAttempts: 1,
        maxStalenessMs: 250,
      },
    ]);
    expect(spec?.algorithms[1]).not.toHaveProperty('intervalFrames');
  });
});

test('rates and positions stay exact', () => {
  expect(only(resolve({ fps: 29.97, position: '1/3' }))).toMatchObject({ fps: '2997/100', position: '1/3' });
});

describe('what can never work is refused before anything starts', () => {
  test('a window that the buffer cannot hold', () => {
    expect(() => resolve({ buffer: 29 }, { ...algorithm, frameCount: 3, frameStep: 10 })).toThrow(
      expect.objectContaining({
        code: 'WINDOW_EXCEEDS_BUFFER',
        message: expect.stringMatching(/^stream lobby, algorithm faces: .*\b30\b/),
      }),
    );
    expect(only(resolve({ buffer: 30 }, { ...algorithm, frameCount: 3, frameStep: 10 }))?.buffer).toBe(30);
    expect(only(resolve({ buffer: 5 }, { ...algorithm, frameCount: 5 }))?.buffer).toBe(5);
  });

  test('an interval shorter than a frame of the rate asked for', () => {
    expect(() => resolve({ fps: 10 }, { ...algorithm, interval: 0.099 })).toThrow(
      expect.objectContaining({
        code: 'INTERVAL_TOO_SHORT',
        message: expect.stringContaining('stream lobby, algorithm faces'),
      }),
    );
    expect(() => resolve({ fps: 10 }, { ...algorithm, interval: 0.1 })).not.toThrow();
    expect(() => resolve({}, { ...algorithm, interval: 0.001 })).not.toThrow();
  });

  test('odd sizes for yuv420p', () => {
    expect(() => resolve({ pixelFormat: 'yuv420p', width: 640, height: 361 })).toThrow(
      expect.objectContaining({ code: 'SIZE_ODD', message: expect.stringContaining('height is 361') }),
    );
    expect(() => resolve({ pixelFormat: 'gray', height: 361 })).not.toThrow();
  });
});
