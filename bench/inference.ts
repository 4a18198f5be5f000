/**
 * How much of a model's own rate is left of it in the pipeline: UltraFace on every frame, published at 320×240, one runner, one ONNX
 * thread, against a bare loop of the same model over frames already in memory. Both rates are those of a model that runs: its first runs
 * count on neither side. The loop is run before and after each run of the pipeline, for a machine's pace drifts by the minute.
 */

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { minuteOf1080p30 } from './clip.ts';
import { measure } from './measured-process.ts';
import type { Row } from './table.ts';

const WIDTH = 320;
const HEIGHT = 240;
const FRAMES = 1_800;
/** Of the bare loop; two seconds. */
const BARE_RUNS = 300;
/** The first runs of a model, which are slower. */
const WARM_RUNS = 30;
const SHARE = 0.8;
/** How often the results that came out are counted. */
const POLL_MS = 50;

export async function benchInference(root: string, folder: string, media: string, repetitions: number): Promise<Row[]> {
  const model = join(media, 'models', 'ultraface-rfb-320.onnx');
  const clip = minuteOf1080p30(folder);
  const small = join(folder, 'small.mp4');
  await measure(
    'ffmpeg',
    [
      '-nostdin',
      '-v',
      'error',
      '-y',
      '-i',
      clip,
      '-frames:v',
      String(FRAMES),
      '-vf',
      `scale=${WIDTH}:${HEIGHT}`,
      '-b:v',
      '1M',
      small,
    ],
    root,
  );
  const pairs: { bare: number; pipeline: number }[] = [];
  let before = await bareRate(model);
  for (let i = 0; i < repetitions; i += 1) {
    const pipeline = await pipelineRate(root, folder, model, small);
    const after = await bareRate(model);
    pairs.push({ bare: (before + after) / 2, pipeline });
    before = after;
  }
  pairs.sort((a, b) => a.pipeline / a.bare - b.pipeline / b.bare);
  const { bare, pipeline } = pairs[Math.floor(pairs.length / 2)] ?? { bare: Number.NaN, pipeline: Number.NaN };
  const shares = pairs.map((pair) => (pair.pipeline / pair.bare).toFixed(2));
  return [
    {
      what: `UltraFace on every frame at 320×240, one runner, one ONNX thread, from its ${WARM_RUNS}th result on`,
      figure: `${pipeline.toFixed(1)} frames/s, ${(pipeline / bare).toFixed(2)} of the bare loop`,
      limit: `≥ ${SHARE} of ${bare.toFixed(1)} frames/s of a bare onnxruntime-node loop; runs ${shares.join(', ')}`,
      held: pipeline >= SHARE * bare,
    },
  ];
}

/** Frames a second of `session.run` alone, one thread, over a tensor in memory. */
async function bareRate(model: string): Promise<number> {
  const session = await InferenceSession.create(model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const data = Float32Array.from({ length: 3 * WIDTH * HEIGHT }, (_, i) => Math.sin(i));
  const input = new Tensor('float32', data, [1, 3, HEIGHT, WIDTH]);
  const run = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i += 1) await session.run({ input });
  };
  await run(WARM_RUNS);
  const began = performance.now();
  await run(BARE_RUNS);
  const seconds = (performance.now() - began) / 1000;
  await session.release();
  return BARE_RUNS / seconds;
}

/** Frames a second from the last of the first runs to the last result, as the results come out. */
async function pipelineRate(root: string, folder: string, model: string, clip: string): Promise<number> {
  const output = join(folder, 'faces.ndjson');
  await rm(output, { force: true });
  const timing = timeLines(output, [WARM_RUNS, FRAMES]);
  await measure(
    join(root, 'stream-infer'),
    [
      ...['run', clip, '--algorithm', `faces=onnx-detector,model=${model},family=ultraface,intervalFrames=1`],
      ...['--width', String(WIDTH), '--height', String(HEIGHT), '--output', output],
    ],
    root,
    { samplesMemory: false },
  );
  const [warmMs = 0, lastMs = 0] = await timing;
  return ((FRAMES - WARM_RUNS) * 1000) / (lastMs - warmMs);
}

/** When the file first had so many lines, for each number, ascending. */
async function timeLines(file: string, counts: readonly number[]): Promise<number[]> {
  const times: number[] = [];
  while (times.length < counts.length) {
    await sleep(POLL_MS);
    const text = await readFile(file, 'latin1').catch(() => '');
    const lines = text.split('\n').length - 1;
    while (lines >= (counts[times.length] ?? Number.POSITIVE_INFINITY)) times.push(performance.now());
  }
  return times;
}
