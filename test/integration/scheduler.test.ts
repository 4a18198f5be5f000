import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { fetchFrame } from '@stream-infer/bus/frame-fetcher';
import { frameBufferState } from '@stream-infer/bus/frame-stream';
import { canonicalJson } from '@stream-infer/core/canonical-json';
import type { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';
import { untilEnded } from '../harness/result-log.ts';
import { frameNumber, startIngest } from '../harness/scripted-ingest.ts';
import {
  type Outcome,
  type ScriptedRunner,
  type ScriptedRunnerOptions,
  startRunner,
} from '../harness/scripted-runner.ts';
import { startTestScheduler, type TestScheduler } from '../harness/test-scheduler.ts';
import { algorithm, sourceFacts, streamSpec } from '../model/specs.ts';

let server: TestNatsServer;
let bus: Bus;
let scheduler: TestScheduler;
let runners: ScriptedRunner[] = [];
let prefixes = 0;

beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(async () => {
  await server?.stop();
});
beforeEach(async () => {
  prefixes += 1;
  const prefix = `t${prefixes}`;
  bus = await connectBus({ url: server.url, prefix, name: 'scheduler-test' });
  scheduler = await startTestScheduler(server.url, prefix);
});
afterEach(async () => {
  await scheduler?.stop();
  for (const runner of runners) await runner.close();
  runners = [];
  await bus?.close();
});

const runner = async (options: ScriptedRunnerOptions): Promise<ScriptedRunner> => {
  const started = await startRunner(bus, options);
  runners.push(started);
  return started;
};

const framesOf = ({ window }: Invocation) => window?.frames ?? [];

/** Fetches what the invocation refers to, as a runner does, and answers what the pixels say. */
async function readNumbers(invocation: Invocation): Promise<Outcome> {
  const numbers = await Promise.all(
    framesOf(invocation).map(async ({ n, content }) => {
      if (content?.$case !== 'reference') throw new Error('no reference');
      const { header, data } = await fetchFrame(bus, content.value.jetstream, content.value.sequence);
      if (header.n !== n || header.run !== invocation.run) throw new Error(`frame ${header.n} in place of ${n}`);
      return frameNumber(data);
    }),
  );
  return { data: { numbers } };
}

const sum = (dropped: Readonly<Record<string, number>>): number => Object.values(dropped).reduce((a, b) => a + b, 0);

describe('a run', () => {
  test('has every due window answered with its frames, in order though runners answer out of order, and then its end', async () => {
    const held: { answer: () => void }[] = [];
    await runner({
      id: 'one',
      definitions: ['faces'],
      concurrency: 6,
      // Answers by sevens, the youngest first.
      answer: async (invocation) => {
        const outcome = await readNumbers(invocation);
        await new Promise<void>((resolve) => {
          held.push({ answer: resolve });
          if (held.length === 7 || invocation.n > 560) for (const { answer } of held.splice(0).reverse()) answer();
        });
        return outcome;
      },
    });
    const spec = streamSpec({
      fps: '30',
      algorithms: [
        algorithm({
          name: 'clips',
          definition: 'faces',
          frameCount: 3,
          frameStep: 4,
          intervalFrames: 6,
          maxInFlight: 7,
        }),
      ],
    });
    const ingest = await startIngest(bus, spec, sourceFacts({ fps: '60' }));
    await ingest.play(600);
    await ingest.end();
    const { records, end } = await untilEnded(bus, 'lobby');

    const due = Array.from({ length: 100 }, (_, i) => 6 * (i + 1)).filter((n) => n >= 12);
    expect(records.map(({ n }) => n)).toEqual(due);
    expect(records.map(({ data }) => data)).toEqual(due.map((n) => ({ numbers: [n - 8, n - 4, n] })));
    expect(records[0]).toEqual({
      stream: 'lobby',
      run: 'r1',
      algorithm: 'clips',
      n: 12,
      key: '0.4',
      sourceIndex: 22,
      timestampMs: 366.666,
      capturedAtMs: null,
      data: { numbers: [4, 8, 12] },
      attempts: 1,
      lateMs: null,
      stateReset: false,
      version: '1',
    });
    expect(end).toEqual({
      stream: 'lobby',
      run: 'r1',
      decoded: 600,
      played: 600,
      published: ingest.published(),
      lastPlayed: 600,
      algorithms: { clips: { triggered: due.length, completed: due.length, failed: 0, dropped: {} } },
      elapsedMs: end.elapsedMs,
      fault: null,
    });
    expect(ingest.mostHeld()).toBeLessThanOrEqual(ingest.capacity);
    await eventually('the buffer is deleted', async () => {
      const buffer = bus.topology.framesStream('lobby', ingest.run.epoch);
      return frameBufferState(bus, buffer).then(
        () => false,
        () => true,
      );
    });
  });

  test('stands in RESULTS as canonical JSON', async () => {
    await runner({ id: 'one', definitions: ['a'], answer: () => ({ data: { b: [1e21, 0.1], a: 'é' } }) });
    const ingest = await startIngest(bus, streamSpec(), sourceFacts());
    await ingest.play(30);
    await ingest.end();
    const { records } = await untilEnded(bus, 'lobby');
    const { data } = await bus.manager.streams
      .getMessage(bus.topology.resultsStream, { last_by_subj: bus.topology.resultSubject('lobby', 'r1', 'a') })
      .then((message) => ({ data: message.string() }));
    expect(data).toBe(canonicalJson(records[0]));
    expect(data).toContain('"data":{"a":"é","b":[1e+21,0.1]}');
  });

  test('whose source fails keeps what was computed, and its end names the fault', async () => {
    await runner({ id: 'one', definitions: ['a'], answer: readNumbers });
    const ingest = await startIngest(bus, streamSpec(), sourceFacts());
    await ingest.play(75);
    await ingest.end({ code: 'SOURCE_LOST', message: 'it broke off' });
    const { records, end } = await untilEnded(bus, 'lobby');
    expect(records.map(({ key }) => key)).toEqual(['1', '2']);
    expect(end.fault).toEqual({ code: 'SOURCE_LOST', message: 'it broke off' });
  });

  test('whose frames are lost on the bus says so, and counts the windows that it cost', async () => {
    await runner({ id: 'one', definitions: ['a'], answer: readNumbers });
    const ingest = await startIngest(bus, streamSpec(), sourceFacts());
    await ingest.play(30);
    ingest.skip(60);
    await ingest.play(30);
    await ingest.end();
    const { records, end } = await untilEnded(bus, 'lobby');
    expect(records.map(({ n }) => n)).toEqual([30, 120]);
    expect(end.algorithms).toEqual({ a: { triggered: 4, completed: 2, failed: 0, dropped: { 'frame-lost': 2 } } });
    expect(end.fault?.code).toBe('BUS_FAILED');
  });

  test('of a stream that is removed while it plays ends with what was computed', async () => {
    await runner({ id: 'one', definitions: ['a'], answer: readNumbers });
    const ingest = await startIngest(bus, streamSpec(), sourceFacts());
    await ingest.play(60);
    const { deleteFrameBuffer } = await import('@stream-infer/bus/frame-stream');
    const { openRuns } = await import('@stream-infer/bus/registry');
    await eventually(
      'both are answered',
      async () => (await scheduler.metric('stream_infer_results_published_total')) === 2,
    );
    await deleteFrameBuffer(bus, bus.topology.framesStream('lobby', ingest.run.epoch));
    await (await openRuns(bus)).delete('lobby');
    const { records, end } = await untilEnded(bus, 'lobby');
    expect(records.map(({ n }) => n)).toEqual([30, 60]);
    expect(end).toMatchObject({ fault: null, published: 2, lastPlayed: 60 });
  });
});

describe('backpressure', () => {
  test('without a runner the source waits, full to its capacity and no further; with one it goes on to the end', async () => {
    const spec = streamSpec({ algorithms: [algorithm({ intervalFrames: 1, maxInFlight: 4 })] });
    const ingest = await startIngest(bus, spec, sourceFacts());
    const playing = ingest.play(300);
    await eventually('the buffer is full', () => ingest.published() === ingest.capacity);
    await runner({ id: 'one', definitions: ['a'], answer: readNumbers });
    await playing;
    await ingest.end();
    const { records } = await untilEnded(bus, 'lobby');
    expect(records.map(({ n }) => n)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
    expect(ingest.mostHeld()).toBeLessThanOrEqual(ingest.capacity);
  });

  test('a stream whose algorithm nobody serves delays no other, and neither does one that is slow', async () => {
    await runner({ id: 'one', definitions: ['a'], answer: readNumbers });
    await runner({ id: 'two', definitions: ['slow'], answer: () => new Promise(() => undefined) });
    const waiting = await startIngest(
      bus,
      streamSpec({ id: 'w', algorithms: [algorithm({ definition: 'nobody' })] }),
      sourceFacts(),
    );
    const slow = await startIngest(
      bus,
      streamSpec({ id: 's', algorithms: [algorithm({ definition: 'slow' })] }),
      sourceFacts(),
    );
    await waiting.play(60);
    await slow.play(60);
    const ingest = await startIngest(
      bus,
      streamSpec({ algorithms: [algorithm({ intervalFrames: 1 })] }),
      sourceFacts(),
    );
    await ingest.play(100);
    await ingest.end();
    expect((await untilEnded(bus, 'lobby')).records).toHaveLength(100);
  });

  test('streams take turns at one runner', async () => {
    const order: string[] = [];
    let open: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    await runner({
      id: 'one',
      definitions: ['a'],
      answer: async ({ stream }) => {
        await opened;
        order.push(stream);
        return { data: 1 };
      },
    });
    const ingests = await Promise.all(
      ['x', 'y'].map((id) =>
        startIngest(
          bus,
          streamSpec({ id, algorithms: [algorithm({ intervalFrames: 1, maxInFlight: 8 })] }),
          sourceFacts(),
        ),
      ),
    );
    for (const ingest of ingests) await ingest.play(16);
    await eventually('all of it waits', async () => (await scheduler.metric('stream_infer_windows_waiting')) >= 30);
    open();
    for (const ingest of ingests) await ingest.end();
    await untilEnded(bus, 'x');
    await untilEnded(bus, 'y');
    // But for the first, which were sent before the other stream had anything.
    const turns = order.slice(2, 28);
    expect(turns.filter((stream, i) => i > 0 && stream === turns[i - 1]).length).toBeLessThanOrEqual(1);
  });
});

describe('in realtime', () => {
  test('playback waits for nobody: only the newest window waits, the rest is counted, and late results say how late', async () => {
    await runner({
      id: 'one',
      definitions: ['a'],
      answer: async () => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        return { data: 1 };
      },
    });
    const spec = streamSpec({
      mode: 'realtime',
      fps: '50',
      algorithms: [algorithm({ intervalFrames: 2, maxInFlight: 1 })],
    });
    const ingest = await startIngest(bus, spec, sourceFacts({ fps: '50', sampling: 'time', live: true }));
    const began = performance.now();
    await ingest.play(100, 20);
    expect(performance.now() - began).toBeLessThan(4_000);
    await ingest.end();
    const { records, end } = await untilEnded(bus, 'lobby');
    const totals = end.algorithms.a;
    expect(totals?.triggered).toBe(50);
    expect(totals?.completed).toBe(records.length);
    expect(records.length).toBeGreaterThan(3);
    expect(records.length).toBeLessThan(15);
    expect(totals?.dropped).toEqual({ replaced: 50 - records.length });
    // The last one due is answered: what waits is the newest.
    expect(records.at(-1)?.n).toBe(100);
    for (const { lateMs, capturedAtMs } of records) {
      expect(lateMs).toBeGreaterThanOrEqual(200);
      expect(capturedAtMs).toBeGreaterThan(1e12);
    }
    expect(scheduler.log()).toContain('results are late');
  });

  test('what is not sent, or not started, in time is stale, and a frame that is gone costs its window alone', async () => {
    const asked: number[] = [];
    await runner({
      id: 'one',
      definitions: ['a'],
      answer: async ({ n, budgetMs }) => {
        asked.push(budgetMs);
        if (n !== 4) return { code: 'FRAME_GONE' };
        await new Promise((resolve) => setTimeout(resolve, budgetMs + 10));
        return { code: 'NOT_STARTED', notStarted: true };
      },
    });
    const spec = streamSpec({
      mode: 'realtime',
      fps: '20',
      algorithms: [algorithm({ intervalFrames: 4, maxInFlight: 2 })],
    });
    const ingest = await startIngest(bus, spec, sourceFacts({ fps: '20', sampling: 'time', live: true }));
    await ingest.play(40, 50);
    await ingest.end();
    const { records, end } = await untilEnded(bus, 'lobby');
    expect(records).toEqual([]);
    const totals = end.algorithms.a;
    expect(totals?.triggered).toBe(10);
    expect(totals?.dropped['frame-gone']).toBeGreaterThan(0);
    expect(sum(totals?.dropped ?? {})).toBe(10);
    expect((totals?.dropped.stale ?? 0) + (totals?.dropped.replaced ?? 0)).toBeGreaterThanOrEqual(1);
    for (const budgetMs of asked) {
      expect(budgetMs).toBeGreaterThan(0);
      expect(budgetMs).toBeLessThanOrEqual(997);
    }
  });
});
