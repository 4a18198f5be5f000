/** Batches across cameras: through a real scheduler and runner, and the runner alone, called as a scheduler would. */

import { join } from 'node:path';
import type { Detections } from '@stream-infer/algorithm';
import { PixelFormat } from '@stream-infer/proto/stream_infer/v1/frame';
import type { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { media } from '../harness/media.ts';
import { rawFrames } from '../harness/raw-frames.ts';
import { untilEnded } from '../harness/result-log.ts';
import { startRunner, type TestRunner } from '../harness/runner.ts';
import { dataOf, faultOf, grayFrame, invocationOf } from '../harness/runner-caller.ts';
import { startIngest } from '../harness/scripted-ingest.ts';
import { startRunner as startScriptedRunner } from '../harness/scripted-runner.ts';
import { startTestScheduler } from '../harness/test-scheduler.ts';
import { algorithm, sourceFacts, streamSpec } from '../model/specs.ts';

/** Answers each window with the size of its batch; the options say what else it does. */
const TEAM = `
export default class Team {
  static version = 'team-1';
  async runBatch(windows, contexts) {
    const { options, spent } = contexts[0];
    spent('infer', 2);
    if (options.holdMs) await new Promise((resolve) => setTimeout(resolve, options.holdMs));
    for (const { n } of contexts) if (n === options.throwsAt) throw new Error('not this one');
    for (const { n } of contexts) if (n === options.exitsAt) process.exit(3);
    for (const { n } of contexts) if (n === options.hangsAt) for (;;);
    const kept = windows.filter((_, at) => contexts[at].n !== options.forgets);
    return kept.map(([frame], at) => ({ windows: windows.length, n: contexts[at].n, pixel: frame.data[3] }));
  }
  async run(frames, context) {
    return (await this.runBatch([frames], [context]))[0];
  }
}`;

let runner: TestRunner | undefined;
afterEach(async () => {
  await runner?.stop();
});

async function start(definition: string): Promise<TestRunner> {
  runner = await startRunner({ configuration: `algorithms: [{name: a, ${definition}}]`, files: { 'team.mjs': TEAM } });
  return runner;
}

/** Mean of a histogram of the runner. */
async function mean(of: TestRunner, name: string): Promise<number> {
  const sum = await of.metric(new RegExp(`^stream_infer_runner_${name}_sum\\{.*\\} (\\S+)$`, 'm'));
  return sum / (await of.metric(new RegExp(`^stream_infer_runner_${name}_count\\{.*\\} (\\S+)$`, 'm')));
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
  const fill = (await mean(of, 'batch_fill_ratio')) * 8;
  console.log(`batching: mean fill ${fill.toFixed(2)} of 8, results by camera: ${completed.join(' ')}`);
  expect(fill).toBeGreaterThanOrEqual(6);
  for (const one of completed) expect(Math.abs(one - share) / share, completed.join(' ')).toBeLessThanOrEqual(0.1);
}

describe('a runner that cannot keep up', () => {
  test('fills its batches from all cameras, and each has its share', async () => {
    const team = await start('use: ./team.mjs, maxBatch: 8, options: {holdMs: 60}');
    await expectFullAndFair(team, await eightCameras(team, 6));
    expect(await mean(team, 'infer_seconds')).toBeCloseTo(0.002, 6);
  });

  test.skipIf(media === undefined)('does so with a model (needs STREAM_INFER_MEDIA)', async () => {
    const model = join(media ?? '', 'models', 'yunet_n_dynamic.onnx');
    const options = `options: {model: ${model}, family: yunet, inputSize: {longSide: 320}}`;
    const yunet = await start(`use: onnx-detector, maxBatch: 8, ${options}`);
    await expectFullAndFair(yunet, await eightCameras(yunet, 6));
    expect(await mean(yunet, 'infer_seconds')).toBeGreaterThan(await mean(yunet, 'preprocess_seconds'));
  });
});

describe('the windows of a batch', () => {
  const six = [1, 2, 3, 4, 5, 6];
  const asked = (n: number): Invocation => invocationOf('a', n, { stream: `cam${n}` });

  test('are answered each with its own, as soon as it is full', async () => {
    const team = await start('use: ./team.mjs, maxBatch: 6, maxDelayMs: 60000');
    await team.conversing(async (caller) => {
      caller.hello();
      const results = await Promise.all(six.map((n) => caller.ask(asked(n))));
      expect(results.map(dataOf)).toEqual(six.map((n) => ({ windows: 6, n, pixel: n })));
    });
    expect(await mean(team, 'batch_windows')).toBe(6);
  });

  test('do not wait for more once maxDelayMs are over', async () => {
    const team = await start('use: ./team.mjs, maxBatch: 8, maxDelayMs: 50');
    await team.conversing(async (caller) => {
      caller.hello();
      const results = await Promise.all(six.map((n) => caller.ask(asked(n))));
      expect(results.map(dataOf)).toEqual(six.map((n) => ({ windows: 6, n, pixel: n })));
    });
  });

  test.each([
    ['throws', 'options: {throwsAt: 3}', 'ALGORITHM_FAILED', /threw: not this one/],
    ['is forgotten', 'options: {forgets: 3}', 'RESULT_NOT_JSON', /undefined/],
    ['ends its thread', 'options: {exitsAt: 3}', 'ALGORITHM_FAILED', /process\.exit\(3\) was called/],
    ['never returns', 'options: {hangsAt: 3}', 'ALGORITHM_TIMEOUT', /ran longer than its timeoutMs of 500/],
  ])('lose nothing to one that %s: each is run again by itself', async (_, definition, code, message) => {
    const team = await start(`use: ./team.mjs, maxBatch: 6, maxDelayMs: 60000, ${definition}`);
    await team.conversing(async (caller) => {
      caller.hello();
      const results = await Promise.all(six.map((n) => caller.ask({ ...asked(n), timeoutMs: 500 })));
      const [culprit] = results.splice(2, 1);
      expect(culprit && faultOf(culprit)).toMatchObject({ code, notStarted: false });
      expect(culprit && faultOf(culprit).message).toMatch(message);
      expect(results.map(dataOf)).toEqual([1, 2, 4, 5, 6].map((n) => ({ windows: 1, n, pixel: n })));
      expect(await team.metric(/batches_failed_total\{.*\} (\d+)/)).toBe(1);
    });
  });

  test('are what the caller may have under way, and one batch ahead (G-3, G-11)', async () => {
    const team = await start('use: ./team.mjs, maxBatch: 6, concurrency: 2');
    await team.conversing(async (caller) => {
      caller.hello();
      await eventually('credits', () => caller.granted.a === 18);
      const described = await new Promise((resolve, reject) => {
        caller.client.describe({}, (error, response) => (error ? reject(error) : resolve(response)));
      });
      expect(described).toMatchObject({ algorithms: [{ definition: 'a', concurrency: 2, maxBatch: 6 }] });
    });
  });

  test.skipIf(media === undefined)('have the boxes that they have alone (needs STREAM_INFER_MEDIA)', async () => {
    const model = join(media ?? '', 'models', 'yunet_n_dynamic.onnx');
    const boxesWith = async (maxBatch: number): Promise<Detections[]> => {
      const use = `use: onnx-detector, maxBatch: ${maxBatch}, maxDelayMs: 60000`;
      const yunet = await start(`${use}, options: {model: ${model}, family: yunet}`);
      const found = await yunet.conversing(async (caller) => {
        caller.hello();
        const asking: Promise<Detections>[] = [];
        const path = join(media ?? '', 'videos', 'asl_book.mkv');
        for await (const { n, width, height, data } of rawFrames(path, { every: 6, limit: 16 })) {
          const content = { $case: 'inline', value: Buffer.from(data) } as const;
          const size = { width, height, sourceWidth: width, sourceHeight: height };
          const frame = grayFrame(n, { ...size, content, pixelFormat: PixelFormat.PIXEL_FORMAT_BGR24 });
          const differs = { stream: `cam${n % 8}`, window: { frames: [frame] }, timeoutMs: 60_000 };
          // No more than the runner has room for.
          await eventually('a credit', () => (caller.granted.a ?? 0) > asking.length);
          asking.push(caller.ask(invocationOf('a', n, differs)).then((result) => dataOf(result) as Detections));
        }
        return Promise.all(asking);
      });
      expect(await mean(yunet, 'batch_windows')).toBe(maxBatch);
      await yunet.stop();
      return found;
    };
    const alone = await boxesWith(1);
    expect(alone.filter(({ boxes }) => boxes.length > 0).length).toBeGreaterThan(10);
    expect(await boxesWith(8)).toEqual(alone);
  });
});

test('a runner that answers nothing holds no more than its credits, with 1,000 windows waiting (D13, G-3)', async () => {
  const { bus, natsUrl } = await start('use: ./team.mjs');
  // The real runner serves another definition.
  const credits = 16;
  const silent = await startScriptedRunner(bus, {
    id: 'silent',
    definitions: ['b'],
    concurrency: credits - 1,
    answer: () => undefined,
  });
  onTestFinished(() => silent.close());
  const scheduler = await startTestScheduler({ NATS_URL: natsUrl, DRAIN_TIMEOUT_MS: '0' });
  onTestFinished(async () => void (await scheduler.stop()));
  const algorithms = [algorithm({ definition: 'b', intervalFrames: 1, maxInFlight: 256 })];
  for (let at = 0; at < 4; at += 1) {
    const ingest = await startIngest(bus, streamSpec({ id: `cam${at}`, algorithms }), sourceFacts());
    await ingest.play(Math.min(ingest.capacity, 260));
  }
  await eventually(
    '1,000 windows waiting',
    async () => (await scheduler.metric('stream_infer_windows_waiting')) >= 1_000,
  );
  await eventually('all of its credits used', () => silent.received.length === credits);
  expect(await scheduler.metric('stream_infer_invocations_in_flight')).toBe(credits);
});
