import { deleteFrameBuffer } from '@stream-infer/bus/frame-stream';
import { openRuns } from '@stream-infer/bus/registry';
import { publishResult } from '@stream-infer/bus/result-stream';
import { canonicalJson } from '@stream-infer/core/canonical-json';
import { NO_TOTALS, type ResultRecord } from '@stream-infer/core/result-record';
import { describe, expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { resultLog, untilEnded } from '../harness/result-log.ts';
import { readNumbers, schedulerWorld } from '../harness/scheduler-world.ts';
import { startIngest } from '../harness/scripted-ingest.ts';
import { algorithm, sourceFacts, streamSpec } from '../model/specs.ts';

const world = schedulerWorld();

const everyFrame = (maxInFlight = 8) => streamSpec({ algorithms: [algorithm({ intervalFrames: 1, maxInFlight })] });
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const numbersOf = (records: readonly ResultRecord[]): number[] => records.map(({ n }) => n);
const never = (): Promise<undefined> => new Promise(() => undefined);

/** A runner that answers nothing before its gate is open. */
async function gatedReader() {
  const gate = Promise.withResolvers<void>();
  const runner = await world.runner({
    ...world.reader('one'),
    answer: async (invocation) => {
      await gate.promise;
      return readNumbers(world.bus, invocation);
    },
  });
  return { runner, gate };
}

/** Publishes the first result, as another scheduler would that has this token. */
async function publishFirst(data: string, token: number): Promise<void> {
  const record = { stream: 'lobby', run: 'r1', algorithm: 'a', n: 1, data };
  const bytes = new TextEncoder().encode(canonicalJson(record));
  await publishResult(world.bus, record, bytes, { after: 0, totals: NO_TOTALS, token });
}

describe('a scheduler', () => {
  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'that ends by %s is succeeded: no result twice, none missing, one ledger (R-9, L-3)',
    async (signal) => {
      await world.runner({
        ...world.reader('one'),
        answer: async (invocation) => {
          if (invocation.n % 10 === 0) return { code: 'ALGORITHM_FAILED' };
          return readNumbers(world.bus, invocation);
        },
      });
      const ingest = await startIngest(world.bus, everyFrame(), sourceFacts());
      const playing = ingest.play(400);
      await eventually('half is published', async () => (await resultLog(world.bus)).records.length > 150);
      const { process } = world.scheduler;
      const exited = new Promise<number | null>((resolve) => process.once('exit', resolve));
      process.kill(signal);
      expect(await exited).toBe(signal === 'SIGTERM' ? 0 : null);
      await world.startScheduler();
      await playing;
      await ingest.end();
      const { records, end } = await untilEnded(world.bus, 'lobby');
      expect(numbersOf(records)).toEqual(upTo(400));
      expect(end.algorithms.a).toEqual({ triggered: 400, completed: 360, failed: 40, dropped: {} });
      expect(end.fault).toBeNull();
    },
  );

  test('answers a run whose ingest had ended it before any scheduler knew of it, once', async () => {
    await world.scheduler.stop();
    const runner = await world.runner(world.reader('one'));
    const ingest = await startIngest(world.bus, everyFrame(), sourceFacts());
    await ingest.play(ingest.capacity);
    await ingest.end();
    const late = await world.startScheduler();
    const { records, end } = await untilEnded(world.bus, 'lobby');
    expect(numbersOf(records)).toEqual(upTo(ingest.capacity));
    expect(end).toMatchObject({ published: ingest.capacity, fault: null });
    // It stands ended in the registry still: the next scheduler leaves it alone.
    await late.stop();
    const sent = runner.received.length;
    const next = await world.startScheduler();
    await eventually('the scheduler is ready', async () => {
      return (await fetch(`${next.addresses.http}/v2/health/ready`)).status === 200;
    });
    expect(runner.received.length).toBe(sent);
    expect((await resultLog(world.bus)).records.length).toBe(records.length);
  });

  test('that is told to stop publishes what is under way, and takes nothing of it back', async () => {
    const { runner, gate } = await gatedReader();
    const ingest = await startIngest(world.bus, everyFrame(), sourceFacts());
    await ingest.play(10);
    await eventually('it is asked', () => runner.received.length === 2);
    const { process, addresses } = world.scheduler;
    const exited = new Promise<number | null>((resolve) => process.once('exit', resolve));
    process.kill('SIGTERM');
    await eventually('it stops', async () => (await fetch(`${addresses.http}/v2/health/ready`)).status === 503);
    gate.resolve();
    expect(await exited).toBe(0);
    expect(runner.cancelled).toEqual([]);
    expect(numbersOf((await resultLog(world.bus)).records)).toEqual([1, 2]);
  });

  test('finds what another has published in its place, and goes on behind it (R-2)', async () => {
    const { runner, gate } = await gatedReader();
    const ingest = await startIngest(world.bus, everyFrame(), sourceFacts());
    await ingest.play(3);
    await eventually('it is asked', () => runner.received.length === 2);
    await publishFirst('another', 0);
    gate.resolve();
    await ingest.end();
    const { records } = await untilEnded(world.bus, 'lobby');
    expect(records.map(({ n, data }) => [n, data])).toEqual([
      [1, 'another'],
      [2, { numbers: [2] }],
      [3, { numbers: [3] }],
    ]);
  });

  test('that another has succeeded is refused by the broker, publishes nothing more and stands down (EX-6)', async () => {
    const { runner, gate } = await gatedReader();
    const ingest = await startIngest(world.bus, everyFrame(), sourceFacts());
    await ingest.play(5);
    await eventually('it is asked', () => runner.received.length === 2);
    await publishFirst('successor', 1_000_000);
    gate.resolve();
    await eventually('it stands down', async () => {
      return (await world.scheduler.metric('stream_infer_scheduler_fenced_total')) === 1;
    });
    await ingest.end();
    await eventually('no consumer is left', async () => {
      const frames = world.bus.topology.framesStream('lobby', ingest.run.epoch);
      return (await world.bus.manager.streams.info(frames)).state.consumer_count === 0;
    });
    const { records, ends } = await resultLog(world.bus);
    expect(records.map(({ data }) => data)).toEqual(['successor']);
    expect(ends).toEqual([]);
  });
});

describe('a run', () => {
  test('goes on where the server forgets the consumer of its headers (F-7)', async () => {
    await world.runner(world.reader('one'));
    const ingest = await startIngest(world.bus, everyFrame(), sourceFacts());
    await ingest.play(10);
    await eventually('ten are published', async () => (await resultLog(world.bus)).records.length === 10);
    const frames = world.bus.topology.framesStream('lobby', ingest.run.epoch);
    for await (const { name } of world.bus.manager.consumers.list(frames))
      await world.bus.manager.consumers.delete(frames, name);
    await ingest.play(10);
    await ingest.end();
    const { records, end } = await untilEnded(world.bus, 'lobby');
    expect(numbersOf(records)).toEqual(upTo(20));
    expect(end.fault).toBeNull();
  });

  test('that goes on in another epoch takes back what was under way, and repeats no result (G-5)', async () => {
    let epoch = 0;
    const runner = await world.runner({
      ...world.reader('one'),
      concurrency: 4,
      answer: (invocation) => {
        const content = invocation.window?.frames[0]?.content;
        const isFirst = content?.$case === 'reference' && content.value.jetstream.endsWith(`_${epoch}`);
        return invocation.n > 20 && isFirst ? never() : readNumbers(world.bus, invocation);
      },
    });
    const first = await startIngest(world.bus, everyFrame(), sourceFacts());
    epoch = first.run.epoch;
    await first.play(30);
    await eventually('20 are published', async () => (await resultLog(world.bus)).records.length === 20);
    const second = await startIngest(world.bus, everyFrame(), sourceFacts());
    await second.play(60);
    await second.end();
    const { records, end } = await untilEnded(world.bus, 'lobby');
    expect(numbersOf(records)).toEqual(upTo(60));
    expect(end.algorithms.a).toEqual({ triggered: 60, completed: 60, failed: 0, dropped: {} });
    expect(runner.cancelled.length).toBeGreaterThan(0);
  });

  test('is finished though the stream plays anew already', async () => {
    const gate = Promise.withResolvers<void>();
    await world.runner({
      ...world.reader('one'),
      answer: async (invocation) => {
        if (invocation.run === 'r1') await gate.promise;
        return readNumbers(world.bus, invocation);
      },
      concurrency: 4,
    });
    const first = await startIngest(world.bus, everyFrame(2), sourceFacts());
    await first.play(10);
    await first.end();
    const second = await startIngest(world.bus, everyFrame(2), sourceFacts(), 'r2');
    await second.play(10);
    await second.end();
    expect(numbersOf((await untilEnded(world.bus, 'lobby', 'r2')).records)).toEqual(upTo(10));
    gate.resolve();
    const { records, end } = await untilEnded(world.bus, 'lobby');
    expect(numbersOf(records)).toEqual(upTo(10));
    expect(end.fault).toBeNull();
  });

  test('whose ingest gave it up, and its buffer, ends with the fault that the registry tells', async () => {
    await world.runner(world.reader('one'));
    const { run } = await startIngest(world.bus, everyFrame(), sourceFacts());
    const fault = { code: 'BUS_FAILED', message: 'the frame buffer is gone' } as const;
    await deleteFrameBuffer(world.bus, world.bus.topology.framesStream('lobby', run.epoch));
    await (await openRuns(world.bus)).put('lobby', { ...run, state: { kind: 'failed', fault } });
    expect((await untilEnded(world.bus, 'lobby')).end.fault).toEqual(fault);
  });

  test('whose source was abandoned for a younger run ends with what came', async () => {
    await world.runner(world.reader('one'));
    const first = await startIngest(world.bus, everyFrame(), sourceFacts());
    await first.play(10);
    await startIngest(world.bus, everyFrame(), sourceFacts(), 'r2');
    const { records, end } = await untilEnded(world.bus, 'lobby');
    expect(numbersOf(records)).toEqual(upTo(10));
    expect(end.fault?.code).toBe('SOURCE_LOST');
  });
});

test('metrics show the ledger, and what is over is no longer under way', async () => {
  await world.runner({
    ...world.reader('one'),
    answer: ({ n }) => (n === 60 ? { code: 'ALGORITHM_FAILED' } : { data: 1 }),
  });
  const ingest = await startIngest(world.bus, streamSpec(), sourceFacts());
  await ingest.play(90);
  await eventually(
    'it is connected',
    async () => (await world.scheduler.metric('stream_infer_runners_connected')) === 1,
  );
  await ingest.end();
  await untilEnded(world.bus, 'lobby');
  const labels = 'stream="lobby",algorithm="a"';
  let text = '';
  // The end is published first, then the run's buffer is deleted and what showed it closed.
  await eventually('what is over is not shown', async () => {
    text = await (await fetch(`${world.scheduler.addresses.http}/metrics`)).text();
    return !text.includes(`stream_infer_windows_waiting{${labels}`);
  });
  for (const line of [
    `stream_infer_invocations_triggered_total{${labels},service="scheduler"} 3`,
    `stream_infer_invocations_total{${labels},fate="completed",service="scheduler"} 2`,
    `stream_infer_invocations_total{${labels},fate="dead-lettered",service="scheduler"} 1`,
    `stream_infer_results_published_total{${labels},service="scheduler"} 3`,
    `stream_infer_result_latency_seconds_count{service="scheduler",${labels}} 3`,
  ])
    expect(text).toContain(line);
});
