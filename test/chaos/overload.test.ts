/** What a runner that is asked for more than it can do delivers: how much, how old, and in which order. Figures are printed. */

import { directGet } from '@stream-infer/bus/direct-get';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { afterEach, describe, expect, test } from 'vitest';
import { untilEnded } from '../harness/result-log.ts';
import { startRunner, type TestRunner } from '../harness/runner.ts';
import { invocationOf } from '../harness/runner-caller.ts';
import { startIngest } from '../harness/scripted-ingest.ts';
import { startTestScheduler, type TestScheduler } from '../harness/test-scheduler.ts';
import { algorithm, sourceFacts, streamSpec } from '../model/specs.ts';

const BUSY = `
export default class Busy {
  run([frame], { options }) {
    const end = performance.now() + options.busyMs;
    while (performance.now() < end);
    return new DataView(frame.data.buffer, frame.data.byteOffset).getUint32(0);
  }
}`;
/** Tells how old its newest frame was when it began. */
const AGEING = `
export default class Ageing {
  run(frames, { options }) {
    const ageMs = Date.now() - frames.at(-1).capturedAtMs;
    const end = performance.now() + options.busyMs;
    while (performance.now() < end);
    return ageMs;
  }
}`;
const SLEEPING = `
export default class Sleeping {
  async run([frame], { options }) {
    await new Promise((resolve) => setTimeout(resolve, options.sleepMs));
    return new DataView(frame.data.buffer, frame.data.byteOffset).getUint32(0);
  }
}`;

const TEAM = `
export default class Team {
  run() { return 1; }
  runBatch(windows) { return windows.map(() => windows.length); }
}`;

const SIZE = { width: 64, height: 48 };

let runner: TestRunner | undefined;
let scheduler: TestScheduler | undefined;
afterEach(async () => {
  await scheduler?.stop();
  await runner?.stop();
});

async function start(use: string, source: string, rest: string): Promise<TestRunner> {
  runner = await startRunner({
    configuration: `algorithms: [{name: a, use: ./${use}, ${rest}}]`,
    files: { [use]: source },
  });
  scheduler = await startTestScheduler({ NATS_URL: runner.natsUrl });
  return runner;
}

/** When each result was stored, by the bus's clock, in trigger order. */
async function storedAtMs({ bus }: TestRunner): Promise<number[]> {
  const { state } = await bus.manager.streams.info(bus.topology.resultsStream);
  const times: number[] = [];
  // The last message is the run's end.
  for (let seq = state.first_seq; seq < state.last_seq; seq += 1) {
    const message = await directGet(bus, bus.topology.resultsStream, { seq });
    times.push(Date.parse(message?.headers.get('Nats-Time-Stamp') ?? ''));
  }
  return times;
}

const quantile = (values: readonly number[], part: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? Number.NaN;

const everyFrame = (given: Partial<StreamSpec>, maxInFlight: number): StreamSpec =>
  streamSpec({ ...SIZE, ...given, algorithms: [algorithm({ intervalFrames: 1, maxInFlight })] });

describe('one runner', () => {
  test('four times overloaded: it works all the time, on windows that are fresh, and what it does not get to is counted', async () => {
    const [busyMs, fps, frames] = [25, 100, 300];
    const { bus } = await start('busy.mjs', BUSY, `options: {busyMs: ${busyMs}}`);
    const spec = everyFrame({ mode: 'realtime', fps: String(fps) }, 2);
    const facts = sourceFacts({ ...SIZE, fps: String(fps), sampling: 'time', live: true });
    const ingest = await startIngest(bus, spec, facts);
    await ingest.play(frames, 1_000 / fps);
    await ingest.end();
    const { records, end } = await untilEnded(bus, 'lobby');
    const stored = await storedAtMs(runner as TestRunner);
    const staleness = records.map(({ capturedAtMs }, at) => (stored[at] ?? Number.NaN) - (capturedAtMs ?? Number.NaN));
    const elapsedMs = (stored.at(-1) ?? Number.NaN) - (stored[0] ?? Number.NaN);
    const used = ((records.length - 1) * busyMs) / elapsedMs;
    const [median, p95] = [quantile(staleness, 0.5), quantile(staleness, 0.95)];
    console.log(
      `overload: ${records.length} of ${frames} delivered, ${(100 * used).toFixed(1)} % of the runner's capacity, staleness median ${median} ms, p95 ${p95} ms`,
      end.algorithms.a?.dropped,
    );
    expect(records.map(({ data }) => data)).toEqual(records.map(({ n }) => n));
    expect(end.algorithms.a).toEqual({
      triggered: frames,
      completed: records.length,
      failed: 0,
      dropped: { replaced: frames - records.length },
    });
    expect(used).toBeGreaterThanOrEqual(0.95);
    expect(median).toBeLessThanOrEqual(50);
    expect(p95).toBeLessThanOrEqual(75);
  });

  test('shared by eight cameras: no window older than maxStalenessMs reaches the algorithm, and each that was is counted', async () => {
    const [busyMs, fps, frames, maxStalenessMs] = [25, 10, 40, 60];
    const { bus } = await start('ageing.mjs', AGEING, `options: {busyMs: ${busyMs}}`);
    const algorithms = [algorithm({ intervalFrames: 1, maxInFlight: 2, maxStalenessMs })];
    const facts = sourceFacts({ ...SIZE, fps: String(fps), sampling: 'time', live: true });
    const cameras = Array.from({ length: 8 }, async (_, at) => {
      const spec = streamSpec({ ...SIZE, id: `cam${at}`, mode: 'realtime', fps: String(fps), algorithms });
      const ingest = await startIngest(bus, spec, facts);
      await ingest.play(frames, 1_000 / fps);
      await ingest.end();
      const { records, end } = await untilEnded(bus, spec.id);
      const { triggered, completed, dropped = {} } = end.algorithms.a ?? {};
      expect([triggered, completed]).toEqual([frames, records.length]);
      expect((dropped.stale ?? 0) + (dropped.replaced ?? 0)).toBe(frames - records.length);
      return { ages: records.map(({ data }) => Number(data)), stale: dropped.stale ?? 0 };
    });
    const played = await Promise.all(cameras);
    const ages = played.flatMap((one) => one.ages);
    const stale = played.reduce((sum, one) => sum + one.stale, 0);
    console.log(
      `staleness: ${ages.length} results, at most ${Math.max(...ages)} ms old at the start, ${stale} windows stale`,
    );
    expect(stale).toBeGreaterThan(0);
    // The way from the scheduler to the thread is on nobody's clock.
    expect(Math.max(...ages)).toBeLessThanOrEqual(maxStalenessMs + 10);
  });

  test('eight instances of 200 ms each keep their order at full rate', async () => {
    const [sleepMs, concurrency, frames] = [200, 8, 240];
    const { bus } = await start(
      'sleeping.mjs',
      SLEEPING,
      `concurrency: ${concurrency}, options: {sleepMs: ${sleepMs}}`,
    );
    const ingest = await startIngest(bus, everyFrame({}, concurrency), sourceFacts(SIZE));
    await ingest.play(frames);
    await ingest.end();
    const { records } = await untilEnded(bus, 'lobby');
    const stored = await storedAtMs(runner as TestRunner);
    const elapsedMs = (stored.at(-1) ?? Number.NaN) - (stored[0] ?? Number.NaN);
    // The first eight come at once, after their 200 ms.
    const rate = ((records.length - concurrency) * 1_000) / elapsedMs;
    console.log(`order: ${records.length} results, ${rate.toFixed(1)} a second`);
    const inOrder = Array.from({ length: frames }, (_, at) => at + 1);
    expect(records.map(({ n }) => n)).toEqual(inOrder);
    expect(records.map(({ data }) => data)).toEqual(inOrder);
    expect(rate).toBeGreaterThanOrEqual(38);
  });

  test('that is idle waits maxDelayMs for a batch to fill, and no longer', async () => {
    const maxDelayMs = 20;
    const idle = await start('team.mjs', TEAM, `maxBatch: 8, maxDelayMs: ${maxDelayMs}`);
    const waitsMs = await idle.conversing(async (caller) => {
      caller.hello();
      const waits: number[] = [];
      for (let n = 1; n <= 50; n += 1)
        waits.push(((await caller.ask(invocationOf('a', n))).timings?.queueUs ?? 0) / 1_000);
      return waits;
    });
    const [median, p95] = [quantile(waitsMs, 0.5), quantile(waitsMs, 0.95)];
    console.log(`idle: waits of a lone window: median ${median} ms, p95 ${p95} ms, maxDelayMs ${maxDelayMs}`);
    // Of the way to the thread and back there is a millisecond in it.
    expect(median).toBeGreaterThan(maxDelayMs / 2);
    expect(median).toBeLessThanOrEqual(maxDelayMs + 1);
    expect(p95).toBeLessThanOrEqual(maxDelayMs + 5);
  });
});
