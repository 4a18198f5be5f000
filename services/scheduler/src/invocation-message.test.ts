import { rational } from '@stream-infer/core/rational';
import { Encoding, PixelFormat } from '@stream-infer/proto/stream_infer/v1/frame';
import { expect, test } from 'vitest';
import { type BufferedFrame, invocationMessage } from './invocation-message.ts';

const frame: BufferedFrame = {
  n: 45,
  sequence: 9,
  header: {
    kind: 'frame',
    run: 'r1',
    epoch: 3,
    n: 45,
    previous: 44,
    sourceIndex: 44,
    presentationTimeUs: 1_468_133,
    capturedAtMs: 0,
    ageMs: 0,
    size: { width: 640, height: 360 },
    pixelFormat: 'yuv420p',
    encoding: 'jpeg',
    sourceSize: { width: 1920, height: 1080 },
  },
};

test('an invocation names its frames by reference, with all that a runner needs to read them (R-8, G-8)', () => {
  const algorithm = {
    name: 'faces-hourly',
    definition: 'faces',
    frameCount: 2,
    frameStep: 0,
    intervalFrames: 45,
    span: 2,
    timeoutMs: 5_000,
    maxInFlight: 8,
    maxAttempts: 3,
    maxStalenessMs: 1_000,
    heldMs: 1_000,
  };
  const place = { stream: 'lobby', run: 'r1', frames: 'si_FRAMES_lobby_3', fps: rational(30000, 1001) };
  const trigger = { n: 45, frames: [frame, frame], triggeredAtMs: 0, capturedAtMs: 0 };
  const message = invocationMessage(place, algorithm, trigger, { attempt: 2, budgetMs: 700 });
  expect(message).toMatchObject({
    id: 'lobby/r1/faces-hourly/45/2',
    stream: 'lobby',
    run: 'r1',
    algorithm: 'faces-hourly',
    definition: 'faces',
    n: 45,
    key: '1.501',
    timeoutMs: 5_000,
    budgetMs: 700,
    attempt: 2,
  });
  expect(message.window?.frames).toHaveLength(2);
  expect(message.window?.frames[1]).toEqual({
    n: 45,
    sourceIndex: 44,
    presentationTimeUs: 1_468_133,
    capturedAtMs: 0,
    positionNumerator: 45_045,
    positionDenominator: 30_000,
    width: 640,
    height: 360,
    pixelFormat: PixelFormat.PIXEL_FORMAT_YUV420P,
    encoding: Encoding.ENCODING_JPEG,
    sourceWidth: 1920,
    sourceHeight: 1080,
    content: { $case: 'reference', value: { jetstream: 'si_FRAMES_lobby_3', sequence: 9 } },
  });
});

test('a position whose parts are beyond 2^53 is halved until they are not', () => {
  const place = { stream: 'lobby', run: 'r1', frames: 'si_FRAMES_lobby_3', fps: rational(2_997_002_997_003, 1e11) };
  const algorithm = { name: 'a', definition: 'a', frameCount: 1, frameStep: 0, intervalFrames: 1, span: 1 };
  const late = { ...frame, n: 1_000_000 };
  const trigger = { n: late.n, frames: [late], triggeredAtMs: 0, capturedAtMs: 0 };
  const limits = { timeoutMs: 1_000, maxInFlight: 1, maxAttempts: 1, maxStalenessMs: 1_000, heldMs: 1_000 };
  const { window } = invocationMessage(place, { ...algorithm, ...limits }, trigger, { attempt: 1, budgetMs: 0 });
  const { positionNumerator = 0, positionDenominator = 1 } = window?.frames[0] ?? {};
  expect(Number.isSafeInteger(positionNumerator)).toBe(true);
  expect(positionNumerator / positionDenominator).toBeCloseTo(1_000_000 / 29.97002997003, 6);
});
