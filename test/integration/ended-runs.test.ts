/** What stands of runs in RESULTS, once nobody asks for it any more. */

import type { Bus } from '@stream-infer/bus/bus';
import { publishReplayed } from '@stream-infer/bus/replays';
import { lastEnd } from '@stream-infer/bus/result-stream';
import { beforeEach, expect, test } from 'vitest';
import { createResultTrimmer, type ResultTrimmer } from '../../services/collector/src/result-trimmer.ts';
import { publishEnd, seriesPublisher, testRecord } from '../harness/collector.ts';
import { resultsBus } from '../harness/results-bus.ts';

const world = resultsBus();
let bus: Bus;
/** Up to where the store has RESULTS. */
let stored: number;
/** Streams of which the registry has a run. */
const registered = new Set<string>();

beforeEach(() => {
  bus = world.bus;
  registered.clear();
  stored = Number.POSITIVE_INFINITY;
});

/** As of a collector that begins now. */
const trimmer = (): ResultTrimmer =>
  createResultTrimmer({
    bus,
    store: { sync: async () => undefined, progress: async () => ({ sequence: stored, position: 0 }) },
    hasRunOf: (stream) => registered.has(stream),
    remainsMs: 0,
  });

const round = (one: ResultTrimmer): Promise<number> => one.round(AbortSignal.timeout(10_000));

async function publishRun(stream: string, run: string): Promise<void> {
  for (const algorithm of ['faces', 'plates'])
    await seriesPublisher(bus, { stream, run, algorithm })(testRecord({ stream, run, algorithm }, 1));
  await publishEnd(bus, stream, run);
}

async function standing(): Promise<string[]> {
  const { state } = await bus.manager.streams.info(bus.topology.resultsStream, { subjects_filter: '>' });
  return Object.keys(state.subjects ?? {}).sort();
}

const subjectsOf = (stream: string, run: string): string[] => [
  bus.topology.endSubject(stream, run),
  ...['faces', 'plates'].map((algorithm) => bus.topology.resultSubject(stream, run, algorithm)),
];

test('of a stream that the registry has no run of nothing is left that ended, however short; what plays, and all runs of what is registered, stay', async () => {
  for (const [stream, run] of [
    ['yard', 'r1'],
    ['yard', 'r2'],
    ['yard-2', 'r1'],
  ] as const)
    await publishRun(stream, run);
  const playing = { stream: 'lobby', run: 'r1', algorithm: 'faces' };
  await seriesPublisher(bus, playing)(testRecord(playing, 1));
  for (const stream of ['yard', 'yard-2']) registered.add(stream);
  const one = trimmer();
  expect(await round(one)).toBe(0);
  const lobby = bus.topology.resultSubject('lobby', 'r1', 'faces');
  registered.delete('yard');
  expect(await round(one)).toBe(6);
  expect(await standing()).toEqual([lobby, ...subjectsOf('yard-2', 'r1')].sort());
  registered.clear();
  expect(await round(one)).toBe(3);
  expect(await standing()).toEqual([lobby]);
  expect(await round(one)).toBe(0);
});

test('a run that ends while the collector runs is told of by what is stored', async () => {
  const one = trimmer();
  await round(one);
  await publishRun('yard', 'r1');
  const subject = bus.topology.endSubject('yard', 'r1');
  const end = await lastEnd(bus, { stream: 'yard', run: 'r1' });
  if (end === undefined) throw new Error('there is no end');
  one.stored({ kind: 'end', sequence: end.sequence, subject, bytes: end.data });
  await round(one);
  expect(await standing()).toEqual([]);
});

test('nothing of a run goes before its end is stored and every other sink has it', async () => {
  await publishRun('yard', 'r1');
  const { resultsStream } = bus.topology;
  await bus.manager.consumers.add(resultsStream, { durable_name: 'warehouse' });
  const one = trimmer();
  stored = 2;
  await round(one);
  expect(await standing()).toHaveLength(3);
  stored = 3;
  await round(one);
  expect(await standing()).toHaveLength(3);
  const sink = await bus.jetstream.consumers.get(resultsStream, 'warehouse');
  for await (const message of await sink.fetch({ max_messages: 3, expires: 5_000 })) await message.ackAck();
  await round(one);
  expect(await standing()).toEqual([]);
});

test('the success of a replay stays, for whoever asked for it looks whether it stands', async () => {
  await publishRun('yard', 'r1');
  const place = { stream: 'yard', run: 'r1', algorithm: 'faces' };
  await publishReplayed(bus, { ...place, n: 7 }, new TextEncoder().encode('{}'));
  await round(trimmer());
  expect(await standing()).toEqual([bus.topology.replayedSubject('yard', 'r1', 'faces', 7)]);
});
