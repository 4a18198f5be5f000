import { describe, expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { resultLog, untilEnded } from '../harness/result-log.ts';
import { schedulerWorld } from '../harness/scheduler-world.ts';
import { startIngest } from '../harness/scripted-ingest.ts';
import { algorithm, sourceFacts, streamSpec } from '../model/specs.ts';

const world = schedulerWorld({ RESULTS_MAX_BYTES: String(2 ** 20) });

const large = { id: 'one', definitions: ['a'], answer: () => ({ data: 'x'.repeat(100_000) }) };
const algorithms = [algorithm({ intervalFrames: 1, maxInFlight: 2 })];

const empty = async (): Promise<void> => {
  // As the collector does with what it has stored: all but the last of a subject goes.
  const { records } = await resultLog(world.bus);
  await world.bus.manager.streams.purge(world.bus.topology.resultsStream, { seq: records.length });
};
const refused = () =>
  eventually('the bus refuses', async () => (await world.scheduler.metric('stream_infer_results_refused_total')) > 1);

describe('when RESULTS is full', () => {
  test('an offline run waits, loses nothing, and goes on when there is room', async () => {
    await world.runner(large);
    const ingest = await startIngest(world.bus, streamSpec({ algorithms }), sourceFacts());
    const playing = ingest.play(14);
    await refused();
    const before = await resultLog(world.bus);
    expect(before.records.length).toBeLessThan(11);
    await empty();
    await playing;
    await ingest.end();
    const { records, end } = await untilEnded(world.bus, 'lobby');
    const seen = new Set([...before.records, ...records].map(({ n }) => n));
    expect([...seen]).toEqual(Array.from({ length: 14 }, (_, i) => i + 1));
    expect(end.algorithms.a).toEqual({ triggered: 14, completed: 14, failed: 0, dropped: {} });
  });

  test('a realtime run plays on and counts what it could not keep', async () => {
    await world.runner(large);
    const ingest = await startIngest(
      world.bus,
      streamSpec({ mode: 'realtime', fps: '20', algorithms }),
      sourceFacts({ fps: '20', sampling: 'time', live: true }),
    );
    await ingest.play(30, 50);
    await refused();
    await empty();
    await ingest.end();
    const { end } = await untilEnded(world.bus, 'lobby');
    const totals = end.algorithms.a;
    const dropped = Object.values(totals?.dropped ?? {}).reduce((a, b) => a + b, 0);
    expect(totals?.dropped['results-full']).toBeGreaterThan(0);
    expect([totals?.triggered, (totals?.completed ?? 0) + dropped]).toEqual([30, 30]);
  });
});
