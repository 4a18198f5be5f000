/**
 * The built-in detectors on real models and real video, called directly with ffmpeg's frames: every golden box whose score
 * is clear of the threshold is found, and none is found beside them. With the whole pipeline in between: test/e2e.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Detections, Frame, Json, RunContext } from '@stream-infer/algorithm';
import OnnxDetector from '@stream-infer/algorithms/onnx-detector';
import { describe, expect, test } from 'vitest';
import { media } from '../harness/media.ts';
import { type RawFrameOptions, rawFrames } from '../harness/raw-frames.ts';
import { runContext } from '../harness/run-context.ts';

const MARGIN = 0.03;
const TOLERANCE_PX = 4;

const MODELS = {
  ultraface: { file: 'ultraface-rfb-320.onnx', golden: 'ultraface-rfb-320', threshold: 0.7 },
  yunet: { file: 'yunet_n_dynamic.onnx', golden: 'yunet_n_640', threshold: 0.6 },
  yolox: { file: 'yolox_nano_416.onnx', golden: 'yolox_nano', threshold: 0.3 },
} as const;

type FamilyName = keyof typeof MODELS;
type Expected = { readonly classId: number; readonly score: number; readonly box: readonly number[] };

const CASES = [
  { family: 'ultraface', video: 'asl_book.mkv', frames: 109, every: 1, exact: true },
  { family: 'ultraface', video: 'webcam_face_no_stss.mp4', frames: 30, every: 1, exact: true },
  { family: 'yunet', video: 'asl_book.mkv', frames: 109, every: 1, exact: true },
  { family: 'yunet', video: 'webcam_face_no_stss.mp4', frames: 30, every: 1, exact: true },
  { family: 'yolox', video: 'asl_book.mkv', frames: 109, every: 1, exact: false },
  { family: 'yolox', video: 'piccadilly_night.mp4', frames: 87, every: 5, exact: false },
] as const;

const modelPath = (family: FamilyName): string => join(media as string, 'models', MODELS[family].file);
const videoPath = (name: string): string => join(media as string, 'videos', name);

async function withDetector<T>(
  family: FamilyName,
  use: (detector: OnnxDetector, context: RunContext) => Promise<T>,
  options: Readonly<Record<string, Json>> = {},
): Promise<T> {
  const detector = new OnnxDetector();
  const context = runContext({ model: modelPath(family), family, ...options });
  await detector.init(context);
  try {
    return await use(detector, context);
  } finally {
    await detector.close();
  }
}

async function collect(path: string, options?: RawFrameOptions): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of rawFrames(path, options)) frames.push(frame);
  return frames;
}

async function goldenBoxes(family: FamilyName, video: string, every: number): Promise<(index: number) => Expected[]> {
  const suffix = every === 1 ? '' : `__every${every}th`;
  const path = join(media as string, 'golden', `${MODELS[family].golden}__${video}${suffix}.json`);
  const golden = JSON.parse(await readFile(path, 'utf8')) as Record<string, number[][]>;
  return (index) =>
    (golden[index] ?? []).map((row) => ({
      classId: row.length === 6 ? (row[0] as number) : 0,
      score: row.at(-5) as number,
      box: row.slice(-4),
    }));
}

const near = (box: readonly number[], other: readonly number[]): boolean =>
  box.every((value, at) => Math.abs(value - (other[at] ?? Number.NaN)) <= TOLERANCE_PX);

/** Golden boxes above the limit that were not found, and boxes found above it that are not golden. */
function differences(expected: readonly Expected[], found: Detections, limit: number): string[] {
  const boxes = found.boxes.map((box, at) => ({
    classId: found.classIds[at] as number,
    score: found.scores[at] as number,
    box,
  }));
  const unmatched = (of: readonly Expected[], among: readonly Expected[]): readonly Expected[] =>
    of.filter(
      ({ classId, score, box }) =>
        score >= limit && !among.some((other) => other.classId === classId && near(box, other.box)),
    );
  return [
    ...unmatched(expected, boxes).map((box) => `missing ${JSON.stringify(box)}`),
    ...unmatched(boxes, expected).map((box) => `extra ${JSON.stringify(box)}`),
  ];
}

describe.skipIf(media === undefined)('onnx-detector on real video (STREAM_INFER_MEDIA names the folder)', () => {
  test.for(CASES)('$family finds the golden boxes of $video', async ({ family, video, frames, every, exact }) => {
    const golden = await goldenBoxes(family, video, every);
    const limit = MODELS[family].threshold + MARGIN;
    await withDetector(family, async (detector, context) => {
      let count = 0;
      for await (const frame of rawFrames(videoPath(video), { every })) {
        count++;
        const found = await detector.run([frame], context);
        const expected = golden(frame.index);
        expect(differences(expected, found, limit), `frame ${frame.index}`).toEqual([]);
        if (exact) expect(found.boxes, `frame ${frame.index}`).toHaveLength(expected.length);
      }
      expect(count).toBe(frames);
    });
  });

  test.for(['rgb24', 'yuv420p', 'bgr24'] as const)(
    'boxes are in pixels of the source for %s frames of another size and shape',
    async (pixelFormat) => {
      const golden = await goldenBoxes('ultraface', 'asl_book.mkv', 1);
      const frames = await collect(videoPath('asl_book.mkv'), { pixelFormat, width: 480, height: 480, every: 27 });
      expect(frames).toHaveLength(5);
      await withDetector('ultraface', async (detector, context) => {
        for (const frame of frames) {
          const found = await detector.run([frame], context);
          expect(differences(golden(frame.index), found, 0), `frame ${frame.index}`).toEqual([]);
        }
      });
    },
  );

  test('a batch of a model with a free batch axis is what its windows are one by one', async () => {
    const frames = await collect(videoPath('asl_book.mkv'), { every: 30 });
    const other = await collect(videoPath('webcam_face_no_stss.mp4'), { limit: 1 });
    const windows = [...frames, ...other].map((frame) => [frame]);
    expect(windows).toHaveLength(5);
    await withDetector('yunet', async (detector, context) => {
      const one: Detections[] = [];
      for (const window of windows) one.push(await detector.run(window, context));
      const all = await detector.runBatch(
        windows,
        windows.map(() => context),
      );
      expect(all).toEqual(one);
      expect(all.map(({ boxes }) => boxes.length)).toEqual([1, 1, 1, 1, 1]);
    });
  });

  test('the newest frame of a window is the one that is looked at', async () => {
    const frames = await collect(videoPath('asl_book.mkv'), { every: 54 });
    await withDetector('ultraface', async (detector, context) => {
      expect(await detector.run(frames, context)).toEqual(await detector.run(frames.slice(-1), context));
    });
  });

  test('a higher threshold reports fewer boxes, and a model of free size takes the size asked for', async () => {
    const [frame] = await collect(videoPath('asl_book.mkv'), { limit: 1 });
    const run = (detector: OnnxDetector, context: RunContext) => detector.run([frame as Frame], context);
    expect((await withDetector('yunet', run, { scoreThreshold: 0.95 })).boxes).toEqual([]);
    const small = await withDetector('yunet', run, { inputSize: { longSide: 320 } });
    const fixed = await withDetector('yunet', run, { inputSize: { width: 320, height: 256 } });
    expect(small.boxes).toHaveLength(1);
    expect(near(small.boxes[0] as readonly number[], [274, 95, 328, 168])).toBe(true);
    expect(fixed.boxes).toEqual(small.boxes);
  });
});
