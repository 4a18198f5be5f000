/**
 * `kill -9` of any part of an offline run, two of them in some runs, at random moments: the results are those of the undisturbed run, byte
 * for byte, and nothing is missing from the ledger. STREAM_INFER_KILLS says how many runs (100 for the full proof; 12 by default).
 */

import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isWhole, type Kill, type KillRun, killRun, ROLES, type Role } from '../harness/kill-run.ts';
import { media } from '../harness/media.ts';
import { root } from '../harness/programs.ts';
import { seeded } from '../harness/seed.ts';
import { followedSquares } from '../harness/squares.ts';

const RUNS = Number(process.env.STREAM_INFER_KILLS ?? 12);
const { seed, random, pick } = seeded();

type Case = { readonly name: string; readonly args: readonly string[]; undisturbed?: KillRun };
let directory: string;
const cases: Case[] = [];

/** The video over and over, to a minute. */
function looped(video: string, seconds: number): string {
  const file = join(directory, `${seconds}-${video.split('/').at(-1)}`);
  execFileSync('ffmpeg', [
    '-v',
    'error',
    '-y',
    '-stream_loop',
    '-1',
    '-i',
    video,
    '-t',
    String(seconds),
    '-c',
    'copy',
    file,
  ]);
  return file;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-chaos-'));
  const conformance = join(root, 'test', 'conformance');
  const blocks = join(conformance, 'read-blocks.mjs');
  const video = looped(join(conformance, 'videos', 'counter25.mp4'), 60);
  cases.push({
    name: 'blocks',
    args: [
      video,
      '--algorithm',
      `a=${blocks},interval=1,frameCount=5,frameStep=5`,
      '--algorithm',
      `b=${blocks},interval=0.2`,
    ],
  });
  cases.push({ name: 'tracks', args: followedSquares(directory) });
  if (!media) return;
  const model = join(media, 'models', 'ultraface-rfb-320.onnx');
  cases.push({
    name: 'ultraface',
    args: [
      looped(join(media, 'videos', 'asl_book.mkv'), 60),
      ...['--algorithm', `faces=onnx-detector,model=${model},family=ultraface,intervalFrames=5`],
      ...['--width', '320', '--height', '240'],
    ],
  });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test(`the results of ${RUNS} disturbed runs are those of the undisturbed`, async () => {
  const hits = new Map<Role, number>(ROLES.map((role) => [role, 0]));
  for (const one of cases) one.undisturbed = await killRun({ directory, ...one, kills: [] });
  for (let at = 0; at < RUNS; at += 1) {
    const one = cases[at % cases.length] as Case;
    const first: Kill = { role: ROLES[at % ROLES.length] as Role, afterMs: 300 + random() * 3_000 };
    const second: Kill = { role: pick(ROLES), afterMs: random() * 2_000 };
    const kills = random() < 0.3 ? [first, second] : [first];
    const what = `run ${at} of ${one.name}, ${kills.map(({ role, afterMs }) => `${role} after ${Math.round(afterMs)} ms`)}, seed ${seed}`;
    const run = await killRun({ directory, name: `${one.name}-${at}`, args: one.args, kills });
    for (const role of run.hits) hits.set(role, (hits.get(role) ?? 0) + 1);
    expect(run.results === one.undisturbed?.results, `${what}\n${run.stderr}`).toBe(true);
    expect(isWhole(run.summary), `${what}: ${JSON.stringify(run.summary)}`).toBe(true);
  }
  console.info(`hits: ${[...hits].map(([role, count]) => `${role} ${count}`).join(', ')}`);
}, 3_600_000);
