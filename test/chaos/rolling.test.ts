/**
 * An upgrade at noon: three runners, two schedulers, two ingests and two collectors, which share a PostgreSQL, are replaced one after the
 * other, each new one first and then SIGTERM to the old, while eight cameras play and a job runs. What is replaced is of this version
 * too, or of the checkout that STREAM_INFER_ROLL_FROM names, set up.
 */

import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StreamAlgorithm } from '@stream-infer/core/stream-spec';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StreamAnswer } from '../harness/collector.ts';
import { everyFrame } from '../harness/decoded-source.ts';
import { eventually } from '../harness/eventually.ts';
import { hasPostgres, type PostgresServer, startPostgres } from '../harness/postgres-server.ts';
import { root } from '../harness/programs.ts';
import type { ServiceName, ServiceProcess } from '../harness/service-process.ts';
import { outOfOrder, startTakeoverTeam, type TakeoverTeam } from '../harness/takeover-team.ts';

const CAMERAS = Array.from({ length: 8 }, (_, at) => `cam${at}`);
const RATE = 10;
/** Between the results of a camera. */
const INTERVAL_MS = 1_000;
const RUNNERS = ['one', 'two', 'three'];
const PAIR = ['one', 'two'];
/** The job outlasts the replacements and the time after them in which the runners' shares are measured. */
const JOB_SECONDS = 480;
const FIRST_WORK_MS = 1_000;
const SKEW_SECONDS = 60;
const MOST_SKEW = 0.1;

/** Answers what depends on every pixel, and takes its time. */
const ALGORITHMS = `
import { createHash } from 'node:crypto';
export default class Held {
  static version = '1';
  async run(frames, { options }) {
    await new Promise((resolve) => setTimeout(resolve, options.holdMs));
    const hash = createHash('sha256');
    for (const { data } of frames) hash.update(data);
    return { sha256: hash.digest('hex') };
  }
}`;
/** How long each holds a worker, milliseconds. */
const DEFINITIONS = { watch: 50, work: 90, quick: 0 };
const algorithm = (definition: keyof typeof DEFINITIONS, different: Partial<StreamAlgorithm>): StreamAlgorithm => ({
  ...everyFrame,
  name: definition,
  definition,
  timeoutMs: 5_000,
  ...different,
});

let folder: string;
let postgres: PostgresServer;
let storeUrl: string;
let team: TakeoverTeam;
const members = new Map<string, ServiceProcess>();

/** Then nothing is lost at all. */
const isSameVersion = process.env.STREAM_INFER_ROLL_FROM === undefined;

const oldEntry = (name: ServiceName): string | undefined => {
  const checkout = process.env.STREAM_INFER_ROLL_FROM;
  return checkout === undefined ? undefined : join(checkout, 'services', name, 'src', 'main.ts');
};

async function start(name: ServiceName, id: string, entry?: string): Promise<ServiceProcess> {
  const environment: Readonly<Record<string, string>> =
    name === 'algo-runner'
      ? { STREAM_INFER_CONFIG: join(folder, 'algorithms.yaml') }
      : name === 'collector'
        ? { STORE_URL: storeUrl }
        : {};
  const service = await team.start(name, id, undefined, { entry, environment });
  members.set(`${name} ${id}`, service);
  return service;
}

async function stop(name: ServiceName, id: string): Promise<void> {
  expect(await members.get(`${name} ${id}`)?.stop(), `${name} ${id} drains and exits`).toBe(0);
  members.delete(`${name} ${id}`);
}

/** Invocations that a runner has answered. */
async function answered(service: ServiceProcess): Promise<number> {
  const text = await (await fetch(`${service.addresses.http}/metrics`)).text();
  const lines = text.matchAll(/^stream_infer_runner_invocations_total\{.*\} (\S+)$/gm);
  return [...lines].reduce((sum, [, value]) => sum + Number(value), 0);
}

/** Plays the clip offline from its beginning to its end. */
async function startJob(
  id: string,
  definition: 'work' | 'quick',
): Promise<{ over(): boolean; done: Promise<unknown> }> {
  const work = algorithm(definition, { name: 'work', frameCount: 2, frameStep: 1, intervalFrames: 2, maxInFlight: 3 });
  await team.play(id, join(folder, 'clip.mp4'), { algorithms: [work] });
  const over = (): boolean => team.ends.some(({ stream }) => stream === id);
  return { over, done: eventually(`the end of ${id}`, over, 300_000) };
}

/** What the store has of a job that is over. */
async function storedResults(id: string): Promise<string> {
  const api = members.get('collector new-one')?.addresses.api;
  const answer = async (path: string): Promise<Response> => fetch(`${api}/v1/streams/${id}${path}`);
  await eventually(
    `the end of ${id} in the store`,
    async () => ((await (await answer('')).json()) as StreamAnswer).end,
  );
  return (await answer('/results')).text();
}

describe.skipIf(!hasPostgres)('an upgrade (PostgreSQL of the distribution)', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stream-infer-rolling-'));
    const clip = join(root, 'test', 'conformance', 'videos', 'counter25.mp4');
    const looped = [
      '-stream_loop',
      '-1',
      '-i',
      clip,
      '-t',
      String(JOB_SECONDS),
      '-c',
      'copy',
      join(folder, 'clip.mp4'),
    ];
    execFileSync('ffmpeg', ['-v', 'error', '-y', ...looped]);
    await writeFile(join(folder, 'held.mjs'), ALGORITHMS);
    const definitions = Object.entries(DEFINITIONS).map(([name, holdMs]) => ({
      name,
      use: './held.mjs',
      concurrency: 4,
      options: { holdMs },
    }));
    await writeFile(join(folder, 'algorithms.yaml'), JSON.stringify({ algorithms: definitions }));
    postgres = await startPostgres();
    storeUrl = postgres.url(await postgres.createDatabase());
    team = await startTakeoverTeam({ isScripted: false });
    for (const id of RUNNERS) await start('algo-runner', id, oldEntry('algo-runner'));
    for (const id of PAIR) await start('scheduler', id, oldEntry('scheduler'));
    for (const id of PAIR) await start('ingest', id, oldEntry('ingest'));
    for (const id of PAIR) await start('collector', id, oldEntry('collector'));
  }, 120_000);
  afterAll(async () => {
    await team?.stop();
    await postgres?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('loses nothing, holds nothing up, and changes no byte', { timeout: 900_000 }, async () => {
    const alone = await startJob('alone', 'quick');
    await alone.done;

    const watch = algorithm('watch', { intervalFrames: (RATE * INTERVAL_MS) / 1_000 });
    for (const id of CAMERAS)
      await team.play(id, `lavfi:testsrc=size=64x48:rate=${RATE}`, { mode: 'realtime', algorithms: [watch] });
    await team.untilAnswered(CAMERAS, performance.now());
    const job = await startJob('rolled', 'work');
    await team.untilAnswered([...CAMERAS, 'rolled'], performance.now());
    const beganMs = performance.now();

    const firstWork: number[] = [];
    for (const id of RUNNERS) {
      const next = await start('algo-runner', `new-${id}`);
      const readyMs = performance.now();
      await eventually('work for the new runner', async () => (await answered(next)) > 0);
      firstWork.push(Math.round(performance.now() - readyMs));
      await stop('algo-runner', id);
    }
    for (const role of ['scheduler', 'ingest'] as const) {
      for (const id of PAIR) {
        await start(role, `new-${id}`);
        await eventually(`streams for the new ${role}`, async () => ((await team.shares(role))[`new-${id}`] ?? 0) > 0);
        await stop(role, id);
        await team.untilAnswered(CAMERAS, performance.now());
      }
    }
    for (const id of PAIR) {
      await start('collector', `new-${id}`);
      await stop('collector', id);
    }
    await team.untilAnswered(CAMERAS, performance.now());
    const gapMs = Math.round(team.longestGapMs(CAMERAS, beganMs));
    console.info(`${firstWork.join(', ')} ms to the first work of a new runner; ${gapMs} ms without a result at most`);

    const runners = RUNNERS.map((id) => members.get(`algo-runner new-${id}`) as ServiceProcess);
    const before = await Promise.all(runners.map(answered));
    await sleep(SKEW_SECONDS * 1_000);
    const work = (await Promise.all(runners.map(answered))).map((count, at) => count - (before[at] ?? 0));
    expect(job.over(), 'the job was over before all was measured').toBe(false);
    const skew = (Math.max(...work) - Math.min(...work)) / (work.reduce((sum, count) => sum + count, 0) / work.length);
    console.info(`in ${SKEW_SECONDS} s the runners answered ${work.join(', ')}: ${(100 * skew).toFixed(1)} % apart`);

    await job.done;
    const [disturbed, undisturbed] = [await storedResults('rolled'), await storedResults('alone')];
    expect(disturbed.length).toBeGreaterThan(1_000);
    expect(disturbed === undisturbed, 'the same results, byte for byte').toBe(true);
    expect(team.arrivals.filter(({ record }) => record.error !== undefined)).toEqual([]);
    expect(outOfOrder(team.arrivals)).toEqual([]);
    expect(new Set(team.arrivals.map(({ record }) => record.run)).size).toBe(CAMERAS.length + 2);
    const gapFrames = CAMERAS.map((id) => {
      const numbers = team.arrivals.filter(({ record }) => record.stream === id).map(({ record }) => record.n);
      return Math.max(...numbers.slice(1).map((n, at) => n - (numbers[at] ?? n)));
    });
    expect(Math.max(...gapFrames), 'frames between two results of a camera').toBeLessThanOrEqual(
      ((isSameVersion ? 1 : 2) * RATE * INTERVAL_MS) / 1_000,
    );
    expect(gapMs).toBeLessThanOrEqual(2 * INTERVAL_MS);
    expect(Math.max(...firstWork)).toBeLessThan(FIRST_WORK_MS);
    expect(skew).toBeLessThan(MOST_SKEW);
  });
});
