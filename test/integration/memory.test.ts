/** Algorithms that remember their stream, with a real bus, scheduler and runners: which instance gets what, and what is left when one dies. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onRewind } from '@stream-infer/bus/announcements';
import { trimResults } from '@stream-infer/bus/result-trim';
import type { StreamAlgorithm } from '@stream-infer/core/stream-spec';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { resultLog, untilEnded } from '../harness/result-log.ts';
import { schedulerWorld } from '../harness/scheduler-world.ts';
import { type ScriptedIngest, startIngest } from '../harness/scripted-ingest.ts';
import { type ServiceProcess, startService } from '../harness/service-process.ts';
import { algorithm, sourceFacts, streamSpec } from '../model/specs.ts';

const world = schedulerWorld();

/** Answers with all that it remembers, and which process it is. */
const MEMORY = `
export default class Memory {
  static state = 'stream';
  #seen = [];
  async run(frames, { n, inputs, options }) {
    await new Promise((resolve) => setTimeout(resolve, options.holdMs ?? 0));
    if (options.throwAt === n) throw new Error('it is to throw');
    this.#seen.push(n);
    if (options.hangAt === n) await new Promise((resolve) => setTimeout(resolve, 60_000));
    return { seen: this.#seen.join(' '), heard: inputs.memory?.seen.length ?? 0, ...(options.tellPid && { pid: process.pid }) };
  }`;
const REMEMBERING = `${MEMORY}
  snapshot() { return Buffer.from(JSON.stringify(this.#seen)); }
  restore(bytes) { this.#seen = JSON.parse(Buffer.from(bytes).toString()); }
}`;
const CONFIGURATION = `
algorithms:
  - {name: memory, use: ./memory.mjs, concurrency: 2, options: {holdMs: 5}}
  - {name: behind, use: ./memory.mjs, after: memory, frameCount: 0}
  - {name: forgetful, use: ./forgetful.mjs, options: {holdMs: 2}}
  - {name: dull, use: ./forgetful.mjs, after: memory, frameCount: 0, options: {holdMs: 2}}
  - {name: hanging, use: ./memory.mjs, options: {hangAt: 21, throwAt: 30}}
  - {name: told, use: ./memory.mjs, options: {tellPid: true, holdMs: 2}}
`;

let directory: string;
const runners: ServiceProcess[] = [];
const ingests: ScriptedIngest[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-memory-'));
  await writeFile(join(directory, 'c.yaml'), CONFIGURATION);
  await writeFile(join(directory, 'memory.mjs'), REMEMBERING);
  await writeFile(join(directory, 'forgetful.mjs'), `${MEMORY}\n}`);
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});
afterEach(async () => {
  for (const ingest of ingests.splice(0)) ingest.close();
  for (const runner of runners.splice(0)) if (runner.process.exitCode === null) await runner.stop();
});

async function startRunner(): Promise<ServiceProcess> {
  const runner = await startService('algo-runner', {
    NATS_URL: `nats://${world.bus.connection.getServer()}`,
    NATS_PREFIX: world.bus.topology.prefix,
    STREAM_INFER_CONFIG: join(directory, 'c.yaml'),
  });
  runners.push(runner);
  return runner;
}

function without(given: StreamAlgorithm): StreamAlgorithm {
  const { interval: _, ...rest } = given;
  return rest;
}

const memory = algorithm({ name: 'memory', definition: 'memory', intervalFrames: 1, timeoutMs: 10_000 });
const behind = without(algorithm({ name: 'behind', definition: 'behind', frameCount: 0, after: ['memory'] }));

async function ingestOf(id: string, algorithms: readonly StreamAlgorithm[], mode: 'offline' | 'realtime' = 'offline') {
  const spec = streamSpec({ id, mode, fps: '10', algorithms });
  const ingest = await startIngest(world.bus, spec, sourceFacts({ fps: '10' }));
  ingests.push(ingest);
  return ingest;
}

const upTo = (n: number): string => Array.from({ length: n }, (_, i) => i + 1).join(' ');

async function published(stream: string, name: string): Promise<number> {
  const { records } = await resultLog(world.bus);
  return records.filter((record) => record.stream === stream && record.algorithm === name).length;
}

/** The process of the runner that a stream's windows go to. */
const homeOf = (pid: number): ServiceProcess => {
  const home = runners.find((runner) => runner.process.pid === pid);
  if (home === undefined) throw new Error(`no runner is process ${pid}`);
  return home;
};

test('an instance for each stream runs its windows in order, on one runner, beside those of others (G-14)', async () => {
  await Promise.all([startRunner(), startRunner()]);
  const told = algorithm({ name: 'told', definition: 'told', intervalFrames: 1, timeoutMs: 10_000 });
  const streams = await Promise.all(['a', 'b', 'c', 'd'].map((id) => ingestOf(id, [told])));
  await Promise.all(
    streams.map(async (ingest) => {
      await ingest.play(60);
      await ingest.end();
    }),
  );
  const homes = new Set<unknown>();
  for (const id of ['a', 'b', 'c', 'd']) {
    const { records } = await untilEnded(world.bus, id);
    const data = records.map((record) => record.data as { seen: string; pid: number });
    expect(data.map(({ seen }) => seen)).toEqual(Array.from({ length: 60 }, (_, i) => upTo(i + 1)));
    expect(new Set(data.map(({ pid }) => pid)).size).toBe(1);
    homes.add(data[0]?.pid);
  }
  expect(homes.size).toBe(2);
});

test('when runners and schedulers die, offline results are those of an undisturbed run (EX-9, R-11)', async () => {
  await startRunner();
  const ingest = await ingestOf('film', [memory, behind]);
  const playing = ingest.play(240);
  for (const [results, victim] of [
    [40, 'runner'],
    [90, 'scheduler'],
    [140, 'runner'],
    [180, 'both'],
  ] as const) {
    await eventually(`${results} results`, async () =>
      (await published('film', 'behind')) >= results ? true : undefined,
    );
    if (victim !== 'scheduler') {
      runners.at(-1)?.process.kill('SIGKILL');
      await startRunner();
    }
    if (victim !== 'runner') {
      world.scheduler.process.kill('SIGKILL');
      await world.startScheduler();
    }
  }
  await playing;
  await ingest.end();
  const { records, end } = await untilEnded(world.bus, 'film');
  for (const name of ['memory', 'behind']) {
    const own = records.filter((record) => record.algorithm === name);
    expect(own.map(({ n }) => n)).toEqual(Array.from({ length: 240 }, (_, i) => i + 1));
    own.forEach(({ data, n, stateReset }) => {
      expect((data as { seen: string }).seen).toBe(upTo(n));
      expect(stateReset).toBe(false);
    });
  }
  expect(end.fault).toBeNull();
  // Nothing is left of what it remembered.
  const { state } = await world.bus.manager.streams.info(`KV_${world.bus.topology.buckets.snapshots}`);
  expect(state.messages - (state.num_deleted ?? 0)).toBeLessThanOrEqual(2);
});

/** Plays the run again from its beginning, as an ingest does, once that is asked for. */
async function playedAgain(id: string, algorithms: readonly StreamAlgorithm[], count: number): Promise<void> {
  let asked = false;
  const stop = onRewind(world.bus, id, () => {
    asked = true;
  });
  await eventually(`${id} is to be played again`, () => asked || undefined);
  stop();
  for (const before of ingests.splice(0)) before.close();
  const ingest = await ingestOf(id, algorithms);
  await ingest.play(count);
  await ingest.end();
}

/** A runner dies once there are some results, and another comes. */
async function loseRunner(stream: string, name: string): Promise<void> {
  await eventually('some results', async () => ((await published(stream, name)) >= 20 ? true : undefined));
  runners[0]?.process.kill('SIGKILL');
  await startRunner();
}

test('without snapshots an offline run that loses its instance is played again from its beginning (EX-9)', async () => {
  await startRunner();
  const algorithms = [algorithm({ name: 'forgetful', definition: 'forgetful', intervalFrames: 1 })];
  const ingest = await ingestOf('film', algorithms);
  // It never comes to its end: nobody releases what it holds.
  void ingest.play(200).catch(() => undefined);
  await loseRunner('film', 'forgetful');
  await playedAgain('film', algorithms, 200);
  const { records, end } = await untilEnded(world.bus, 'film');
  expect(end.fault).toBeNull();
  expect(records.map(({ data }) => (data as { seen: string }).seen)).toEqual(
    Array.from({ length: 200 }, (_, i) => upTo(i + 1)),
  );
});

test('what cannot be brought back, since what it came after is on the bus no more, ends the run with what to do', async () => {
  await startRunner();
  const dull = without(algorithm({ name: 'dull', definition: 'dull', frameCount: 0, after: ['memory'] }));
  const ingest = await ingestOf('film', [memory, dull]);
  void ingest.play(200).catch(() => undefined);
  await eventually('some results', async () => ((await published('film', 'dull')) >= 20 ? true : undefined));
  const { records: before } = await resultLog(world.bus);
  const subject = world.bus.topology.resultSubject('film', 'r1', 'memory');
  await trimResults(world.bus, subject, before.length);
  await loseRunner('film', 'dull');
  void playedAgain('film', [memory, dull], 200).catch(() => undefined);
  const { end } = await untilEnded(world.bus, 'film');
  expect(end.fault).toMatchObject({ code: 'STATE_LOST', message: expect.stringContaining('dull') });
});

test('in realtime the first result after a loss says that it remembers nothing, where there is no snapshot', async () => {
  await startRunner();
  const forgetful = algorithm({ name: 'forgetful', definition: 'forgetful', intervalFrames: 1 });
  const told = algorithm({ name: 'told', definition: 'told', intervalFrames: 1 });
  const ingest = await ingestOf('cam', [forgetful, told], 'realtime');
  const playing = ingest.play(160, 50);
  await eventually('some results', async () => ((await published('cam', 'forgetful')) >= 15 ? true : undefined));
  const replacement = startRunner();
  runners[0]?.process.kill('SIGKILL');
  await replacement;
  await playing;
  await ingest.end();
  const { records } = await untilEnded(world.bus, 'cam');
  const [lost, kept] = ['forgetful', 'told'].map((name) => records.filter((record) => record.algorithm === name));
  expect(lost?.filter(({ stateReset }) => stateReset)).toHaveLength(1);
  const reset = lost?.find(({ stateReset }) => stateReset);
  expect(reset?.data).toMatchObject({ seen: String(reset?.n) });
  expect(kept?.some(({ stateReset }) => stateReset)).toBe(false);
  expect(String((kept?.at(-1)?.data as { seen: string } | undefined)?.seen).startsWith('1 ')).toBe(true);
  const pids = new Set(kept?.map(({ data }) => (data as { pid: number }).pid));
  expect(pids.size).toBe(2);
  expect(homeOf([...pids].at(-1) ?? 0)).toBe(runners.at(-1));
});

test('a runner that drains gives what it remembers to the next: nothing is run twice', async () => {
  await startRunner();
  const told = algorithm({ name: 'told', definition: 'told', intervalFrames: 1 });
  const ingest = await ingestOf('cam', [told], 'realtime');
  // It goes on for longer than a runner takes to start.
  const playing = ingest.play(160, 50);
  await eventually('some results', async () => ((await published('cam', 'told')) >= 10 ? true : undefined));
  await startRunner();
  await runners[0]?.stop();
  await playing;
  await ingest.end();
  const { records, end } = await untilEnded(world.bus, 'cam');
  expect(new Set(records.map(({ data }) => (data as { pid: number }).pid)).size).toBe(2);
  expect(records.some(({ stateReset }) => stateReset)).toBe(false);
  const last = (records.at(-1)?.data as { seen: string } | undefined)?.seen.split(' ') ?? [];
  // What was remembered within the last second may be missing where the runner was idle as it began to drain.
  expect(last.length).toBeGreaterThanOrEqual((end.algorithms.told?.completed ?? 0) - 20);
  expect(new Set(last).size).toBe(last.length);
});

test('a window that ends its instance has its error, and is no part of what the next one remembers', async () => {
  await startRunner();
  const hanging = algorithm({ name: 'hanging', definition: 'hanging', intervalFrames: 1, timeoutMs: 500 });
  const ingest = await ingestOf('film', [hanging]);
  await ingest.play(40);
  await ingest.end();
  const { records } = await untilEnded(world.bus, 'film');
  const errors = records.filter(({ error }) => error !== undefined);
  expect(errors.map(({ n, error }) => [n, error?.code])).toEqual([
    [21, 'ALGORITHM_TIMEOUT'],
    [30, 'ALGORITHM_FAILED'],
  ]);
  // What throws remembers what it did before that; what is ended remembers nothing of its window.
  const remembered = upTo(40)
    .split(' ')
    .filter((n) => n !== '21' && n !== '30');
  expect(records.at(-1)?.data).toMatchObject({ seen: remembered.join(' ') });
  expect(await world.scheduler.metric('stream_infer_windows_replayed_total')).toBeGreaterThan(0);
  expect(await world.scheduler.metric('stream_infer_snapshots_stored_total')).toBeGreaterThan(3);
});
