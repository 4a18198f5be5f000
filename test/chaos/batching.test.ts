/** Eight cameras that one runner cannot keep up with, in batches: how full these are, and whether the cameras share. Figures are printed. */

import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { histogramMean, TEAM } from '../harness/batch-team.ts';
import { media } from '../harness/media.ts';
import { untilEnded } from '../harness/result-log.ts';
import { startRunner, type TestRunner } from '../harness/runner.ts';
import { startIngest } from '../harness/scripted-ingest.ts';
import { startTestScheduler } from '../harness/test-scheduler.ts';
import { algorithm, sourceFacts, streamSpec } from '../model/specs.ts';

let runner: TestRunner | undefined;
afterEach(async () => {
  await runner?.stop();
});

async function start(definition: string): Promise<TestRunner> {
  runner = await startRunner({ configuration: `algorithms: [{name: a, ${definition}}]`, files: { 'team.mjs': TEAM } });
  return runner;
}

/** Eight cameras of 50 frames a second for so long; how many results each has. */
async function eightCameras({ bus, natsUrl }: TestRunner, seconds: number): Promise<number[]> {
  const scheduler = await startTestScheduler({ NATS_URL: natsUrl });
  onTestFinished(async () => void (await scheduler.stop()));
  const fps = 50;
  return await Promise.all(
    Array.from({ length: 8 }, async (_, at) => {
      const algorithms = [algorithm({ intervalFrames: 1, maxInFlight: 2 })];
      const size = { width: 64, height: 48 };
      const spec = streamSpec({ id: `cam${at}`, mode: 'realtime', fps: String(fps), algorithms, ...size });
      const facts = sourceFacts({ ...size, fps: String(fps), sampling: 'time', live: true });
      const ingest = await startIngest(bus, spec, facts);
      await ingest.play(seconds * fps, 1_000 / fps);
      await ingest.end();
      const { records, end } = await untilEnded(bus, spec.id);
      expect(records.filter(({ error }) => error !== undefined)).toEqual([]);
      const { triggered = 0, completed = 0, dropped } = end.algorithms.a ?? {};
      expect(triggered).toBe(seconds * fps);
      expect(dropped).toEqual({ replaced: triggered - completed });
      return completed;
    }),
  );
}

async function expectFullAndFair(of: TestRunner, completed: readonly number[]): Promise<void> {
  const share = completed.reduce((sum, one) => sum + one, 0) / completed.length;
  const fill = (await histogramMean(of, 'batch_fill_ratio')) * 8;
  console.log(`batching: mean fill ${fill.toFixed(2)} of 8, results by camera: ${completed.join(' ')}`);
  expect(fill).toBeGreaterThanOrEqual(6);
  for (const one of completed) expect(Math.abs(one - share) / share, completed.join(' ')).toBeLessThanOrEqual(0.1);
}

describe('a runner that cannot keep up', () => {
  test('fills its batches from all cameras, and each has its share', async () => {
    const team = await start('use: ./team.mjs, maxBatch: 8, options: {holdMs: 60}');
    await expectFullAndFair(team, await eightCameras(team, 6));
  });

  test.skipIf(media === undefined)('does so with a model (needs STREAM_INFER_MEDIA)', async () => {
    const model = join(media ?? '', 'models', 'yunet_n_dynamic.onnx');
    const options = `options: {model: ${model}, family: yunet, inputSize: {longSide: 320}}`;
    const yunet = await start(`use: onnx-detector, maxBatch: 8, ${options}`);
    await expectFullAndFair(yunet, await eightCameras(yunet, 6));
    const stages = ['preprocess', 'infer', 'postprocess'].map((stage) => histogramMean(yunet, `${stage}_seconds`));
    const [preprocess = 0, infer = 0, postprocess = 0] = await Promise.all(stages);
    const run = await histogramMean(yunet, 'run_seconds');
    expect(preprocess + infer + postprocess).toBeLessThanOrEqual(run);
    expect(preprocess + infer + postprocess).toBeGreaterThan(0.8 * run);
  });
});
