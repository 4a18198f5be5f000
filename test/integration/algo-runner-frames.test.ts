/** How frames reach an algorithm: by reference from the bus, checked, and out of JPEG. */

import { execFileSync } from 'node:child_process';
import type { FrameHeader } from '@stream-infer/bus/frame-headers';
import { createFrameBuffer, deleteFrameBuffer, publishFrame } from '@stream-infer/bus/frame-stream';
import { Encoding, type Frame, PixelFormat } from '@stream-infer/proto/stream_infer/v1/frame';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ECHO, startRunner, type TestRunner } from '../harness/runner.ts';
import { dataOf, faultOf, grayFrame, invocationOf, RunnerCaller } from '../harness/runner-caller.ts';

/** Keeps what it was given. */
const KEEPER = `
export default class Keeper {
  #kept = [];
  run(frames) {
    this.#kept.push(...frames.map(({ data }) => data));
    return { sums: this.#kept.map((data) => data.reduce((sum, value) => sum + value, 0)) };
  }
}`;

const CONFIGURATION = `
algorithms:
  - {name: echo, use: ./echo.mjs}
  - {name: keeper, use: ./keeper.mjs}
`;

let runner: TestRunner;
let caller: RunnerCaller;

beforeAll(async () => {
  runner = await startRunner({ configuration: CONFIGURATION, files: { 'echo.mjs': ECHO, 'keeper.mjs': KEEPER } });
  caller = new RunnerCaller(runner.grpcAddress).hello();
});
afterAll(async () => {
  caller?.close();
  await runner?.stop();
});

describe('frames on the bus', () => {
  const size = { width: 320, height: 240 };
  const bytes = size.width * size.height * 3;
  let jetstream: string;

  const header = (n: number): FrameHeader => ({
    kind: 'frame',
    run: 'r1',
    epoch: 7,
    n,
    previous: n - 1,
    sourceIndex: n - 1,
    presentationTimeUs: n * 40_000,
    capturedAtMs: 0,
    ageMs: 0,
    size,
    pixelFormat: 'bgr24',
    encoding: 'raw',
    sourceSize: size,
  });

  /** A reference to the frame with this sequence, said to be n. */
  const reference = (sequence: number, n = sequence): Frame =>
    grayFrame(n, {
      ...size,
      pixelFormat: PixelFormat.PIXEL_FORMAT_BGR24,
      content: { $case: 'reference', value: { jetstream, sequence } },
    });

  beforeAll(async () => {
    const buffer = { stream: 'cam', epoch: 7, mode: 'offline', capacity: 8, bytesPerFrame: bytes } as const;
    jetstream = await createFrameBuffer(runner.bus, buffer);
    for (let n = 1; n <= 6; n += 1) await publishFrame(runner.bus, header(n), 'cam', new Uint8Array(bytes).fill(n), n);
  });
  afterAll(() => deleteFrameBuffer(runner.bus, jetstream));

  test('are fetched by reference (F-8)', async () => {
    const result = await caller.ask(invocationOf('echo', 2, { window: { frames: [reference(2)] } }));
    expect(dataOf(result)).toMatchObject({ frames: [{ n: 2, data: [2, 2, 2, 2, 2, 2], bytes }] });
    expect(result.timings?.fetchUs).toBeGreaterThan(0);
  });

  test('come oldest first, one that stands in for a gap as often as it stands in (G-8)', async () => {
    const window = { frames: [reference(3), reference(3), reference(5)] };
    const result = await caller.ask(invocationOf('echo', 5, { id: 'gap', window }));
    expect(dataOf(result)).toMatchObject({ frames: [{ n: 3 }, { n: 3 }, { n: 5, data: [5, 5, 5, 5, 5, 5] }] });
  });

  test('that windows share are each window’s own: an algorithm may keep what it was given', async () => {
    const ask = (n: number) =>
      caller.ask(invocationOf('keeper', n, { window: { frames: [reference(n - 1), reference(n)] } }));
    await ask(2);
    await ask(3);
    const { sums } = dataOf(await ask(4)) as { sums: number[] };
    expect(sums.map((sum) => sum / bytes)).toEqual([1, 2, 2, 3, 3, 4]);
  });

  test('that are not the ones meant are a mismatch (F-8)', async () => {
    const other = await caller.ask(invocationOf('echo', 9, { window: { frames: [reference(2, 9)] } }));
    expect(faultOf(other)).toMatchObject({ code: 'FRAME_MISMATCH', notStarted: false });
    expect(faultOf(other).message).toContain('frame 2 of run r1, and frame 9 of run r1 was meant');
    const run = await caller.ask(invocationOf('echo', 2, { id: 'run', run: 'r2', window: { frames: [reference(2)] } }));
    expect(faultOf(run).message).toContain('frame 2 of run r1, and frame 2 of run r2 was meant');
  });

  test('that are not there any more are gone (F-8)', async () => {
    const result = await caller.ask(invocationOf('echo', 99, { window: { frames: [reference(99)] } }));
    expect(faultOf(result)).toMatchObject({ code: 'FRAME_GONE', notStarted: false });
  });
});

describe('frames in the message', () => {
  test('arrive whatever their size (G-9)', async () => {
    for (const [width, height] of [
      [1, 1],
      [64, 32],
      [320, 240],
      [1920, 1080],
    ] as const) {
      const bytes = width * height * 3;
      const frame = grayFrame(1, {
        width,
        height,
        pixelFormat: PixelFormat.PIXEL_FORMAT_BGR24,
        content: { $case: 'inline', value: Buffer.alloc(bytes, 9) },
      });
      const id = `${width}x${height}`;
      const result = await caller.ask(invocationOf('echo', 1, { id, window: { frames: [frame] } }));
      expect(dataOf(result)).toMatchObject({ frames: [{ width, height, bytes }] });
    }
  });
});

describe('JPEG frames', () => {
  const size = { width: 64, height: 32 };
  /** The left half red, the right half blue. */
  let picture: Buffer;

  beforeAll(() => {
    const raw = new Uint8Array(size.width * size.height * 3);
    for (let at = 0; at < raw.length; at += 3) raw[(at / 3) % size.width < 32 ? at : at + 2] = 200;
    const input = ['-f', 'rawvideo', '-s', `${size.width}x${size.height}`, '-pix_fmt', 'rgb24', '-i', '-'];
    const output = ['-c:v', 'mjpeg', '-q:v', '2', '-pix_fmt', 'yuvj444p', '-f', 'image2pipe', '-'];
    picture = execFileSync('ffmpeg', ['-v', 'error', ...input, ...output], { input: raw });
  });

  test.each([
    ['bgr24', PixelFormat.PIXEL_FORMAT_BGR24, [0, 0, 200, 0, 0, 200]],
    ['rgb24', PixelFormat.PIXEL_FORMAT_RGB24, [200, 0, 0, 200, 0, 0]],
    ['gray', PixelFormat.PIXEL_FORMAT_GRAY, [60, 60, 60, 60, 60, 60]],
    ['yuv420p', PixelFormat.PIXEL_FORMAT_YUV420P, [67, 67, 67, 67, 67, 67]],
  ])('arrive decoded, in %s (F-2)', async (name, pixelFormat, expected) => {
    const frame = grayFrame(1, {
      ...size,
      pixelFormat,
      encoding: Encoding.ENCODING_JPEG,
      content: { $case: 'inline', value: picture },
    });
    const result = await caller.ask(invocationOf('echo', 1, { id: name, window: { frames: [frame] } }));
    const [handed] = (dataOf(result) as { frames: { data: number[]; pixelFormat: string }[] }).frames;
    expect(handed?.pixelFormat).toBe(name);
    for (const [at, value] of expected.entries()) expect(Math.abs((handed?.data[at] ?? -99) - value)).toBeLessThan(5);
  });

  test('of another size than is said are a mismatch', async () => {
    const frame = grayFrame(1, {
      width: 32,
      height: 32,
      encoding: Encoding.ENCODING_JPEG,
      content: { $case: 'inline', value: picture },
    });
    const fault = faultOf(await caller.ask(invocationOf('echo', 1, { id: 'size', window: { frames: [frame] } })));
    expect(fault).toMatchObject({ code: 'FRAME_MISMATCH' });
    expect(fault.message).toContain('a JPEG of 64x32 and said to be 32x32');
  });
});

test('what comes after others may want no frame, and is handed what they said; one with neither is refused (G-15)', async () => {
  const inputs = { faces: Buffer.from('{"boxes":[]}') };
  const window = { frames: [] };
  const heard = await caller.ask(invocationOf('echo', 900, { window, inputs }));
  expect(dataOf(heard)).toMatchObject({ frames: [], inputs: { faces: { boxes: [] } }, n: 900 });
  expect(faultOf(await caller.ask(invocationOf('echo', 901, { window }))).code).toBe('FRAME_MISMATCH');
});
