/** Batches across cameras: through a real scheduler and runner, and the runner alone, called as a scheduler would. */

import { join } from 'node:path';
import type { Detections } from '@stream-infer/algorithm';
import { PixelFormat } from '@stream-infer/proto/stream_infer/v1/frame';
import type { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { histogramMean, TEAM } from '../harness/batch-team.ts';
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

let runner: TestRunner | undefined;
afterEach(async () => {
  await runner?.stop();
});

async function start(definition: string): Promise<TestRunner> {
  runner = await startRunner({ configuration: `algorithms: [{name: a, ${definition}}]`, files: { 'team.mjs': TEAM } });
  return runner;
}

test('a busy runner fills its batches from all cameras, and each window has its own answer', async () => {
  const team = await start('use: ./team.mjs, maxBatch: 8, options: {holdMs: 40}');
  const scheduler = await startTestScheduler({ NATS_URL: team.natsUrl });
  onTestFinished(async () => void (await scheduler.stop()));
  const algorithms = [algorithm({ intervalFrames: 1, maxInFlight: 4 })];
  const frames = 60;
  await Promise.all(
    Array.from({ length: 8 }, async (_, at) => {
      const ingest = await startIngest(team.bus, streamSpec({ id: `cam${at}`, algorithms }), sourceFacts());
      await ingest.play(frames);
      await ingest.end();
      const { records } = await untilEnded(team.bus, `cam${at}`);
      // A frame holds its n.
      const answers = records.map(({ data }) => data as { n: number; pixel: number });
      const inOrder = Array.from({ length: frames }, (__, i) => i + 1);
      expect(answers.map(({ n }) => n)).toEqual(inOrder);
      expect(answers.map(({ pixel }) => pixel)).toEqual(inOrder);
    }),
  );
  expect((await histogramMean(team, 'batch_fill_ratio')) * 8).toBeGreaterThanOrEqual(6);
  expect(await histogramMean(team, 'infer_seconds')).toBeCloseTo(0.002, 6);
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
    expect(await histogramMean(team, 'batch_windows')).toBe(6);
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
      expect(await histogramMean(yunet, 'batch_windows')).toBe(maxBatch);
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
