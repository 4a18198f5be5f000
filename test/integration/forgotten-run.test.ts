/** A scheduler that stood still while another ended its run, and all that stood of it went. */

import type { Bus } from '@stream-infer/bus/bus';
import { openRuns } from '@stream-infer/bus/registry';
import { openSnapshots } from '@stream-infer/bus/snapshots';
import { NO_TOTALS } from '@stream-infer/core/result-record';
import type { Run } from '@stream-infer/core/run';
import { beforeEach, expect, test } from 'vitest';
import { ResultPublisher } from '../../services/scheduler/src/result-publisher.ts';
import { testRecord } from '../harness/collector.ts';
import { streamSpec } from '../harness/decoded-source.ts';
import { resultsBus } from '../harness/results-bus.ts';

const place = { stream: 'yard', run: 'r1', algorithm: 'faces' };
const run: Run = {
  run: 'r2',
  stream: 'yard',
  epoch: 7,
  owner: 'ingest',
  spec: streamSpec('a.mp4', { id: 'yard' }),
  specRevision: 2,
  startedAtMs: 1,
  state: { kind: 'claimed' },
};

const world = resultsBus();
let bus: Bus;
let publisher: ResultPublisher;

beforeEach(async () => {
  bus = world.bus;
  publisher = new ResultPublisher({
    bus,
    ...place,
    mode: 'realtime',
    token: 5,
    snapshots: await openSnapshots(bus),
    signal: AbortSignal.timeout(20_000),
    refused: () => undefined,
  });
  await publisher.resume();
});

const publish = (n: number) =>
  publisher.publish(n, new TextEncoder().encode(JSON.stringify(testRecord(place, n))), { totals: NO_TOTALS });
const purge = () => bus.manager.streams.purge(bus.topology.resultsStream);

test('publishes nothing more of a stream that the registry has no run of', async () => {
  expect(await publish(1)).toBe('published');
  expect(await publisher.isForgotten()).toBe(false);
  await purge();
  expect(await publisher.isForgotten()).toBe(true);
  expect(await publish(2)).toBe('fenced');
  const { state } = await bus.manager.streams.info(bus.topology.resultsStream);
  expect(state.messages).toBe(0);
});

test('goes on where RESULTS was lost, and the registry still has a run of the stream', async () => {
  const runs = await openRuns(bus);
  await runs.put('yard', run);
  try {
    expect(await publish(1)).toBe('published');
    await purge();
    expect(await publisher.isForgotten()).toBe(false);
    expect(await publish(2)).toBe('published');
  } finally {
    await runs.delete('yard');
  }
});

test('has nothing to have been forgotten before it published', async () => {
  expect(await publisher.isForgotten()).toBe(false);
  expect(await publish(1)).toBe('published');
});
