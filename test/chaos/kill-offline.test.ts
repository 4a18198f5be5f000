/**
 * `kill -9` of any part of an offline run, two of them in some runs, at a random moment with an invocation in flight: the results are
 * those of the undisturbed run, byte for byte, no row stands twice, and the ledger is the same. STREAM_INFER_KILLS says how many runs (100 and more for the
 * full proof, in which each role is hit 15 times; 12 by default). Each run has a seed of its own: given as STREAM_INFER_SEED with
 * STREAM_INFER_KILLS=1 it is repeated.
 */

import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { differences, type Job, type Kill, type KillRun, killRun } from '../harness/kill-run.ts';
import { media } from '../harness/media.ts';
import { root } from '../harness/programs.ts';
import { seeded } from '../harness/seed.ts';
import { followedSquares } from '../harness/squares.ts';
import { ROLES, type Role } from '../harness/system-role.ts';

const RUNS = Number(process.env.STREAM_INFER_KILLS ?? 12);
/** Runs from which on each role must have been hit so often. */
const FULL = 100;
const LEAST_HITS = 15;
const CLIP_SECONDS = 60;
const RUN_LIMIT_MS = 120_000;
const { seed } = seeded();

type Case = { readonly name: string; readonly job: Job; readonly undisturbed: KillRun };
let directory: string;
const cases: Case[] = [];

/** The video over and over, to a minute. */
function looped(video: string): string {
  const file = join(directory, `looped-${video.split('/').at(-1)}`);
  const cut = ['-t', String(CLIP_SECONDS), '-c', 'copy', file];
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-stream_loop', '-1', '-i', video, ...cut]);
  return file;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-chaos-'));
  const add = async (name: string, job: Job): Promise<void> => {
    cases.push({ name, job, undisturbed: await killRun({ directory, name, job, kills: [] }) });
  };
  const conformance = join(root, 'test', 'conformance');
  const use = join(conformance, 'read-blocks.mjs');
  await add('blocks', {
    algorithms: [
      { name: 'a', use, interval: 1, frameCount: 5, frameStep: 5 },
      { name: 'b', use, interval: 0.2 },
    ],
    streams: [{ id: 'blocks', source: looped(join(conformance, 'videos', 'counter25.mp4')) }],
  });
  await add('tracks', followedSquares(directory, { seconds: CLIP_SECONDS, holdMs: 2 }));
  if (media) {
    const options = { model: join(media, 'models', 'ultraface-rfb-320.onnx'), family: 'ultraface' };
    await add('ultraface', {
      algorithms: [{ name: 'faces', use: 'onnx-detector', options, intervalFrames: 5 }],
      streams: [{ id: 'asl', source: looped(join(media, 'videos', 'asl_book.mkv')), width: 320, height: 240 }],
    });
  }
  for (const { name, undisturbed } of cases) {
    const [stream] = Object.values(undisturbed.summary.streams);
    console.info(
      `${name}: ${undisturbed.records.length} results in ${Math.round(stream?.elapsedMs ?? 0)} ms undisturbed`,
    );
    expect(differences(undisturbed, undisturbed)).toEqual([]);
  }
}, 300_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

/** What is done to the run with this seed. Roles and cases come in turns, so that any six, or eighteen, seeds on end have each. */
function plan(runSeed: number): { readonly one: Case; readonly kills: readonly Kill[] } {
  const { random, pick } = seeded(runSeed, { quiet: true });
  const one = cases[Math.floor(runSeed / ROLES.length) % cases.length] as Case;
  const [stream] = Object.values(one.undisturbed.summary.streams);
  const first: Kill = {
    role: ROLES[runSeed % ROLES.length] as Role,
    afterMs: random() * 0.7 * (stream?.elapsedMs ?? 0),
  };
  const second: Kill = { role: pick(ROLES), afterMs: random() * 2_000 };
  return { one, kills: random() < 0.3 ? [first, second] : [first] };
}

test(
  `the results of ${RUNS} disturbed runs are those of the undisturbed`,
  async () => {
    const hits = new Map<Role, number>(ROLES.map((role) => [role, 0]));
    const failures: string[] = [];
    for (let at = 0; at < RUNS; at += 1) {
      const { one, kills } = plan(seed + at);
      const what = `seed ${seed + at}: ${one.name}, ${kills.map(({ role, afterMs }) => `${role} after ${Math.round(afterMs)} ms`).join(', ')}`;
      try {
        const run = await killRun({ directory, name: `${one.name}-${at}`, job: one.job, kills });
        for (const { role } of run.hits) hits.set(role, (hits.get(role) ?? 0) + 1);
        const found = differences(run, one.undisturbed);
        if (found.length > 0) failures.push(`${what}: ${found.join('; ')}\n${run.stderr}`);
        const told = run.hits.map(({ role, inFlight }) => `${role} hit with ${inFlight} in flight`).join(', ');
        console.info(`${what}: ${told || 'over before'}${found.length > 0 ? ', FAILED' : ''}`);
      } catch (error) {
        failures.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
        console.info(`${what}: FAILED`);
      }
    }
    console.info(`${RUNS} runs, hits: ${[...hits].map(([role, count]) => `${role} ${count}`).join(', ')}`);
    expect(failures).toEqual([]);
    const seldom = [...hits].filter(([, count]) => count < LEAST_HITS);
    if (RUNS >= FULL) expect(seldom, `roles that were hit fewer than ${LEAST_HITS} times`).toEqual([]);
    else expect([...hits].reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThan(RUNS / 2);
  },
  60_000 + RUNS * RUN_LIMIT_MS,
);
