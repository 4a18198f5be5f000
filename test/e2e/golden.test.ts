/** Real models on real video through the whole pipeline, against figures computed with other tools. */

import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { streamInfer } from '../harness/command.ts';
import { media } from '../harness/media.ts';

type Found = { boxes: number[][]; scores: number[]; classIds: number[] };
type Golden = Record<string, number[][]>;

const CASES = [
  {
    golden: 'ultraface-rfb-320__asl_book.mkv',
    model: 'ultraface-rfb-320',
    family: 'ultraface',
    threshold: 0.7,
    exact: true,
  },
  {
    golden: 'ultraface-rfb-320__webcam_face_no_stss.mp4',
    model: 'ultraface-rfb-320',
    family: 'ultraface',
    threshold: 0.7,
    exact: true,
  },
  { golden: 'yunet_n_640__asl_book.mkv', model: 'yunet_n_dynamic', family: 'yunet', threshold: 0.6, exact: true },
  {
    golden: 'yunet_n_640__webcam_face_no_stss.mp4',
    model: 'yunet_n_dynamic',
    family: 'yunet',
    threshold: 0.6,
    exact: true,
  },
  { golden: 'yolox_nano__asl_book.mkv', model: 'yolox_nano_416', family: 'yolox', threshold: 0.3, exact: false },
  {
    golden: 'yolox_nano__piccadilly_night.mp4__every5th',
    model: 'yolox_nano_416',
    family: 'yolox',
    threshold: 0.3,
    exact: false,
  },
] as const;

const MARGIN = 0.03;
const TOLERANCE_PX = 4;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-golden-'));
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe.skipIf(media === undefined)('golden figures (STREAM_INFER_MEDIA)', () => {
  test.for(CASES)('$golden', async ({ golden, model, family, threshold, exact }) => {
    const folder = media as string;
    const expected = JSON.parse(await readFile(join(folder, 'golden', `${golden}.json`), 'utf8')) as Golden;
    const video = golden.split('__')[1] ?? '';
    expect(existsSync(join(folder, 'videos', video))).toBe(true);
    const config = join(directory, `${golden}.json`);
    const output = join(directory, `${golden}.ndjson`);
    await writeFile(
      config,
      JSON.stringify({
        algorithms: [
          {
            name: 'detector',
            use: 'onnx-detector',
            options: { model: join(folder, 'models', `${model}.onnx`), family },
            intervalFrames: 1,
          },
        ],
        streams: [{ id: 'video', source: join(folder, 'videos', video) }],
      }),
    );
    const { status, stderr } = await streamInfer(['run', '--config', config, '--output', output, '--strict']);
    expect(status, stderr).toBe(0);
    const records = (await readFile(output, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { sourceIndex: number; data: Found });
    const bySource = new Map(records.map(({ sourceIndex, data }) => [sourceIndex, data]));
    for (const [index, boxes] of Object.entries(expected)) {
      const found = bySource.get(Number(index));
      expect(found, `frame ${index}`).toBeDefined();
      if (found) compare(index, boxes, found, threshold, exact);
    }
  });
});

/** A golden box is [score, x1, y1, x2, y2], with its class before the score where the model has several. */
function compare(index: string, golden: number[][], found: Found, threshold: number, exact: boolean): void {
  const expected = golden.map((row) => ({
    classId: row.length === 6 ? row[0] : 0,
    score: row.at(-5) ?? 0,
    box: row.slice(-4),
  }));
  const matches = (box: number[], other: number[]): boolean =>
    box.every((value, i) => Math.abs(value - (other[i] ?? Number.NaN)) <= TOLERANCE_PX);
  if (exact) expect(found.boxes.length, `frame ${index}: count`).toBe(expected.length);
  for (const { classId, score, box } of expected) {
    if (score < threshold + MARGIN) continue;
    const hit = found.boxes.some((other, i) => found.classIds[i] === classId && matches(box, other));
    expect(hit, `frame ${index}: class ${classId} ${score} [${box}] in ${JSON.stringify(found)}`).toBe(true);
  }
  found.boxes.forEach((box, i) => {
    if ((found.scores[i] ?? 0) < threshold + MARGIN) return;
    const known = expected.some((other) => other.classId === found.classIds[i] && matches(other.box, box));
    expect(known, `frame ${index}: extra class ${found.classIds[i]} ${found.scores[i]} [${box}]`).toBe(true);
  });
}
