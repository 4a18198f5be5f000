/**
 * How much of a model's own rate is left of it in the pipeline: UltraFace on every frame, published at 320×240, one runner, one ONNX
 * thread, against a bare loop of the same model over frames already in memory.
 */

import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { minuteOf1080p30 } from './clip.ts';
import { measure } from './measured-process.ts';
import type { Row } from './table.ts';

const WIDTH = 320;
const HEIGHT = 240;
const FRAMES = 1_800;
/** Of the bare loop; two seconds. */
const BARE_RUNS = 300;
const SHARE = 0.8;

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
  for (let i = 0; i < repetitions; i += 1)
    pairs.push({ bare: await bareRate(model), pipeline: await pipelineRate(root, folder, model, small) });
  pairs.sort((a, b) => a.pipeline / a.bare - b.pipeline / b.bare);
  const { bare, pipeline } = pairs[Math.floor(pairs.length / 2)] ?? { bare: Number.NaN, pipeline: Number.NaN };
  const shares = pairs.map((pair) => (pair.pipeline / pair.bare).toFixed(2));
  return [
    {
      what: 'UltraFace on every frame at 320×240, one runner, one ONNX thread',
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
  await run(30);
  const began = performance.now();
  await run(BARE_RUNS);
  const seconds = (performance.now() - began) / 1000;
  await session.release();
  return BARE_RUNS / seconds;
}

/** Frames a second over the run's own elapsed time, which begins before its first frame is decoded. */
async function pipelineRate(root: string, folder: string, model: string, clip: string): Promise<number> {
  const { stdout } = await measure(
    join(root, 'stream-infer'),
    [
      ...['run', clip, '--algorithm', `faces=onnx-detector,model=${model},family=ultraface,intervalFrames=1`],
      ...['--width', String(WIDTH), '--height', String(HEIGHT), '--output', join(folder, 'faces.json'), '--json'],
    ],
    root,
    { samplesMemory: false },
  );
  const summary = JSON.parse(stdout) as {
    streams: Record<string, { elapsedMs: number; algorithms: Record<string, { completed: number }> }>;
  };
  const [stream] = Object.values(summary.streams);
  if (!stream) throw new Error(`no stream in ${stdout}`);
  return (stream.algorithms.faces?.completed ?? 0) / (stream.elapsedMs / 1000);
}
