/** Algorithms that come after others, with a real bus and scheduler: in order, with what was said, through a change of scheduler. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { directGet } from '@stream-infer/bus/direct-get';
import { lastResult } from '@stream-infer/bus/result-stream';
import type { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';
import { expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { untilEnded } from '../harness/result-log.ts';
import { schedulerWorld } from '../harness/scheduler-world.ts';
import { startIngest } from '../harness/scripted-ingest.ts';
import type { Outcome } from '../harness/scripted-runner.ts';
import { startService } from '../harness/service-process.ts';
import { algorithm, sourceFacts, streamSpec } from '../model/specs.ts';

const world = schedulerWorld();

const faces = algorithm({ name: 'faces', definition: 'faces', intervalFrames: 2, maxInFlight: 4 });
const { interval: _, ...rest } = algorithm({ name: 'tracks', definition: 'tracks', frameCount: 0, after: ['faces'] });
const spec = streamSpec({ fps: '10', algorithms: [rest, faces] });

const inputOf = ({ inputs }: Invocation): unknown => JSON.parse(inputs.faces?.toString() ?? 'null');

/** Answers both: faces fails at every sixth frame, tracks with what faces said. */
const answer = (invocation: Invocation): Outcome => {
  if (invocation.definition === 'tracks') return { data: { heard: inputOf(invocation) } };
  return invocation.n % 6 === 0 ? { code: 'ALGORITHM_FAILED' } : { data: { n: invocation.n } };
};

test('what comes after another has a result for each of its results, or an error that names it', async () => {
  const runner = await world.runner({ id: 'one', definitions: ['faces', 'tracks'], concurrency: 4, answer });
  const ingest = await startIngest(world.bus, spec, sourceFacts({ fps: '10' }));
  await ingest.play(200);
  await ingest.end();
  const { records, end } = await untilEnded(world.bus, spec.id);
  ingest.close();
  const tracks = records.filter((record) => record.algorithm === 'tracks');
  expect(tracks.map(({ n }) => n)).toEqual(Array.from({ length: 100 }, (_, i) => 2 * i + 2));
  for (const { n, data, error, attempts, sourceIndex } of tracks) {
    expect(sourceIndex).toBe(n - 1);
    if (n % 6 !== 0) expect([data, attempts]).toEqual([{ heard: { n } }, 1]);
    else
      expect([error, attempts]).toEqual([
        {
          code: 'UPSTREAM_FAILED',
          message: 'faces has no data for this window (ALGORITHM_FAILED: scripted ALGORITHM_FAILED)',
        },
        0,
      ]);
  }
  expect(end.algorithms.tracks).toEqual({ triggered: 100, completed: 67, failed: 33, dropped: {} });
  const sent = runner.received.filter(({ definition }) => definition === 'tracks');
  expect(sent.every(({ window }) => window?.frames.length === 0)).toBe(true);
  expect(sent.map(({ n }) => n)).toEqual([...sent.map(({ n }) => n)].sort((a, b) => a - b));
});

test('a scheduler that takes over goes on from the results that stand on the bus, which name what is needed (R-10)', async () => {
  // Nobody runs what comes after: its upstream goes ahead as far as the buffer lets it.
  await world.runner({ id: 'upstream', definitions: ['faces'], answer });
  const ingest = await startIngest(world.bus, spec, sourceFacts({ fps: '10' }));
  const playing = ingest.play(120);
  const { manager, topology } = world.bus;
  const ahead = await eventually('results of faces that wait for tracks', async () => {
    const { state } = await manager.streams.info(topology.resultsStream, { subjects_filter: '>' });
    const count = Number(state.subjects?.[topology.resultSubject(spec.id, 'r1', 'faces')] ?? 0);
    return count >= 4 ? count : undefined;
  });
  expect(ahead).toBeGreaterThanOrEqual(4);
  await world.scheduler.stop();
  await world.startScheduler();
  await world.runner({ id: 'downstream', definitions: ['tracks'], answer });
  await playing;
  await ingest.end();
  const { records, end } = await untilEnded(world.bus, spec.id);
  ingest.close();
  const heard = records.filter((record) => record.algorithm === 'tracks');
  expect(heard.map(({ n }) => n)).toEqual(Array.from({ length: 60 }, (_, i) => 2 * i + 2));
  expect(heard.every(({ n, data }) => n % 6 === 0 || JSON.stringify(data) === JSON.stringify({ heard: { n } }))).toBe(
    true,
  );
  expect(end.algorithms.tracks).toEqual({ triggered: 60, completed: 40, failed: 20, dropped: {} });
});

test('the collector trims what nobody needs any more, and keeps what is still to be handed on (R-10)', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'stream-infer-upstream-'));
  const collector = await startService('collector', {
    NATS_URL: `nats://${world.bus.connection.getServer()}`,
    NATS_PREFIX: world.bus.topology.prefix,
    STORE_PATH: join(directory, 'store.sqlite'),
    RESULTS_MAX_BYTES: String(2 ** 26),
  });
  try {
    const other = algorithm({ name: 'other', definition: 'other', intervalFrames: 1, maxInFlight: 4 });
    const both = { ...spec, algorithms: [...spec.algorithms, other] };
    await world.runner({ id: 'upstream', definitions: ['faces', 'other'], answer });
    const ingest = await startIngest(world.bus, both, sourceFacts({ fps: '10' }));
    const playing = ingest.play(120);
    const { manager, topology } = world.bus;
    const kept = async (name: string): Promise<number> => {
      const { state } = await manager.streams.info(topology.resultsStream, { subjects_filter: '>' });
      return Number(state.subjects?.[topology.resultSubject(spec.id, 'r1', name)] ?? 0);
    };
    // Both have come as far as the buffer lets them; only what comes after faces is missing.
    await eventually('several results of both', async () => {
      const { n } = await lastResult(world.bus, { stream: spec.id, run: 'r1', algorithm: 'other' });
      return n >= 4 && (await kept('faces')) >= 4 ? true : undefined;
    });
    await eventually('a trimmed subject', async () => ((await kept('other')) === 1 ? true : undefined));
    expect(await kept('faces')).toBeGreaterThanOrEqual(4);
    await world.runner({ id: 'downstream', definitions: ['tracks'], answer });
    await playing;
    await ingest.end();
    const message = { last_by_subj: topology.endSubject(spec.id, 'r1') };
    await eventually('the end', () => directGet(world.bus, topology.resultsStream, message));
    await eventually('nothing but the last results', async () => ((await kept('faces')) === 1 ? true : undefined));
    ingest.close();
  } finally {
    await collector.stop();
    await rm(directory, { recursive: true, force: true });
  }
});
