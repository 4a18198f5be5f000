import { onRewind, type Rewind } from '@stream-infer/bus/announcements';
import { deleteFrameBuffer, frameBufferState } from '@stream-infer/bus/frame-stream';
import { openRuns } from '@stream-infer/bus/registry';
import { canonicalJson } from '@stream-infer/core/canonical-json';
import { describe, expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { untilEnded } from '../harness/result-log.ts';
import { readNumbers, schedulerWorld } from '../harness/scheduler-world.ts';
import { startIngest } from '../harness/scripted-ingest.ts';
import { algorithm, sourceFacts, streamSpec } from '../model/specs.ts';

const world = schedulerWorld();

describe('a run', () => {
  test('has every due window answered with its frames, in order though runners answer out of order, and then its end (R-1, R-3, R-4)', async () => {
    const held: { answer: () => void }[] = [];
    await world.runner({
      id: 'one',
      definitions: ['faces'],
      concurrency: 6,
      // Answers by sevens, the youngest first.
      answer: async (invocation) => {
        const outcome = await readNumbers(world.bus, invocation);
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
    const ingest = await startIngest(world.bus, spec, sourceFacts({ fps: '60' }));
    await ingest.play(600);
    await ingest.end();
    const { records, end } = await untilEnded(world.bus, 'lobby');

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
      const buffer = world.bus.topology.framesStream('lobby', ingest.run.epoch);
      return frameBufferState(world.bus, buffer).then(
        () => false,
        () => true,
      );
    });
  });

  test('stands in RESULTS as canonical JSON (R-5)', async () => {
    await world.runner({ id: 'one', definitions: ['a'], answer: () => ({ data: { b: [1e21, 0.1], a: 'é' } }) });
    const ingest = await startIngest(world.bus, streamSpec(), sourceFacts());
    await ingest.play(30);
    await ingest.end();
    const { records } = await untilEnded(world.bus, 'lobby');
    const { data } = await world.bus.manager.streams
      .getMessage(world.bus.topology.resultsStream, {
        last_by_subj: world.bus.topology.resultSubject('lobby', 'r1', 'a'),
      })
      .then((message) => ({ data: message.string() }));
    expect(data).toBe(canonicalJson(records[0]));
    expect(data).toContain('"data":{"a":"é","b":[1e+21,0.1]}');
  });

  test('whose source fails keeps what was computed, and its end names the fault', async () => {
    await world.runner(world.reader('one'));
    const ingest = await startIngest(world.bus, streamSpec(), sourceFacts());
    await ingest.play(75);
    await ingest.end({ code: 'SOURCE_LOST', message: 'it broke off' });
    const { records, end } = await untilEnded(world.bus, 'lobby');
    expect(records.map(({ key }) => key)).toEqual(['1', '2']);
    expect(end.fault).toEqual({ code: 'SOURCE_LOST', message: 'it broke off' });
  });

  test('whose frames are lost on the bus asks for them again, and goes on in the next epoch (F-4, L-5)', async () => {
    await world.runner(world.reader('one'));
    const ingest = await startIngest(world.bus, streamSpec(), sourceFacts());
    const rewinds: Rewind[] = [];
    onRewind(world.bus, 'lobby', (rewind) => rewinds.push(rewind));
    await ingest.play(30);
    ingest.skip(60);
    await ingest.play(30);
    await ingest.end();
    await eventually('it asks', () => rewinds.length > 0);
    expect(rewinds[0]).toEqual({ run: 'r1', epoch: ingest.run.epoch });
    const again = await startIngest(world.bus, streamSpec(), sourceFacts());
    await again.play(120);
    await again.end();
    const { records, end } = await untilEnded(world.bus, 'lobby');
    expect(records.map(({ n }) => n)).toEqual([30, 60, 90, 120]);
    expect(end.algorithms).toEqual({ a: { triggered: 4, completed: 4, failed: 0, dropped: {} } });
    expect(end.fault).toBeNull();
    expect(await world.scheduler.metric('stream_infer_invocations_triggered_total')).toBe(4);
  });

  test('of a stream that is removed while it plays ends with what was computed', async () => {
    await world.runner(world.reader('one'));
    const ingest = await startIngest(world.bus, streamSpec(), sourceFacts());
    await ingest.play(60);
    await eventually(
      'both are answered',
      async () => (await world.scheduler.metric('stream_infer_results_published_total')) === 2,
    );
    await deleteFrameBuffer(world.bus, world.bus.topology.framesStream('lobby', ingest.run.epoch));
    await (await openRuns(world.bus)).delete('lobby');
    const { records, end } = await untilEnded(world.bus, 'lobby');
    expect(records.map(({ n }) => n)).toEqual([30, 60]);
    expect(end).toMatchObject({ fault: null, published: 2, lastPlayed: 60 });
  });
});

describe('backpressure', () => {
  test('without a runner the source waits, full to its capacity and no further; with one it goes on to the end (F-9, G-3)', async () => {
    const spec = streamSpec({ algorithms: [algorithm({ intervalFrames: 1, maxInFlight: 4 })] });
    const ingest = await startIngest(world.bus, spec, sourceFacts());
    const playing = ingest.play(300);
    await eventually('the buffer is full', () => ingest.published() === ingest.capacity);
    await world.runner(world.reader('one'));
    await playing;
    await ingest.end();
    const { records } = await untilEnded(world.bus, 'lobby');
    expect(records.map(({ n }) => n)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
    expect(ingest.mostHeld()).toBeLessThanOrEqual(ingest.capacity);
  });

  test('a stream whose algorithm nobody serves delays no other, and neither does one that is slow', async () => {
    await world.runner(world.reader('one'));
    await world.runner({ id: 'two', definitions: ['slow'], answer: () => new Promise(() => undefined) });
    const waiting = await startIngest(
      world.bus,
      streamSpec({ id: 'w', algorithms: [algorithm({ definition: 'nobody' })] }),
      sourceFacts(),
    );
    const slow = await startIngest(
      world.bus,
      streamSpec({ id: 's', algorithms: [algorithm({ definition: 'slow' })] }),
      sourceFacts(),
    );
    await waiting.play(60);
    await slow.play(60);
    const ingest = await startIngest(
      world.bus,
      streamSpec({ algorithms: [algorithm({ intervalFrames: 1 })] }),
      sourceFacts(),
    );
    await ingest.play(100);
    await ingest.end();
    expect((await untilEnded(world.bus, 'lobby')).records).toHaveLength(100);
  });

  test('streams take turns at one runner', async () => {
    const order: string[] = [];
    let open: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    await world.runner({
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
          world.bus,
          streamSpec({ id, algorithms: [algorithm({ intervalFrames: 1, maxInFlight: 8 })] }),
          sourceFacts(),
        ),
      ),
    );
    for (const ingest of ingests) await ingest.play(16);
    await eventually(
      'all of it waits',
      async () => (await world.scheduler.metric('stream_infer_windows_waiting')) >= 30,
    );
    open();
    for (const ingest of ingests) await ingest.end();
    await untilEnded(world.bus, 'x');
    await untilEnded(world.bus, 'y');
    // But for the first, which were sent before the other stream had anything.
    const turns = order.slice(2, 28);
    expect(turns.filter((stream, i) => i > 0 && stream === turns[i - 1]).length).toBeLessThanOrEqual(1);
  });
});
