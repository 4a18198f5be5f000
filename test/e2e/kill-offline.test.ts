/**
 * Whatever is killed under an offline run, its results are those of a run that nobody disturbed, byte for byte (I2, EX-4, EX-6). One kill of
 * each role; `make test-chaos` has many.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { differences, type Job, type KillRun, killRun } from '../harness/kill-run.ts';
import { makeVideo } from '../harness/made-videos.ts';
import { seeded } from '../harness/seed.ts';
import { followedSquares } from '../harness/squares.ts';
import { ROLES } from '../harness/system-role.ts';

const { random } = seeded();
let directory: string;
let job: Job;
let undisturbed: KillRun;
let tracks: { readonly job: Job; readonly undisturbed: KillRun };

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-kill-'));
  const video = join(directory, 'clip.mp4');
  makeVideo(video, { seconds: 20, fps: 25 });
  const module = join(directory, 'slow.mjs');
  await writeFile(
    module,
    `export default class {
  async run(frames) {
    await new Promise((resolve) => setTimeout(resolve, 25));
    return frames.map(({ index, data }) => [index, data.reduce((sum, byte, at) => (at % 97 ? sum : (sum * 31 + byte) >>> 0), 0)]);
  }
}
`,
  );
  job = {
    algorithms: [
      { name: 'a', use: module, intervalFrames: 3, frameCount: 4, frameStep: 2 },
      { name: 'b', use: module, intervalFrames: 10 },
    ],
    streams: [{ id: 'clip', source: video }],
  };
  undisturbed = await killRun({ directory, name: 'undisturbed', job, kills: [] });
  const following = followedSquares(directory);
  const name = 'undisturbed-tracks';
  tracks = { job: following, undisturbed: await killRun({ directory, name, job: following, kills: [] }) };
}, 180_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

test.for(ROLES)('%s, killed while windows are under way', async (role) => {
  const kills = [{ role, afterMs: 500 + random() * 1_500 }];
  const run = await killRun({ directory, name: role, job, kills });
  expect(run.hits, run.stderr).toMatchObject([{ role }]);
  expect(differences(run, undisturbed)).toEqual([]);
  expect(run.summary.streams.clip).toMatchObject({ decoded: 500, played: 500 });
});

test.for(['algo-runner', 'scheduler', 'ingest'] as const)(
  '%s, killed while byte-track follows what a detector finds (EX-9)',
  async (role) => {
    const kills = [{ role, afterMs: 500 + random() * 1_000 }];
    const run = await killRun({ directory, name: `tracks-${role}`, ...tracks, kills });
    expect(run.hits, run.stderr).toMatchObject([{ role }]);
    expect(differences(run, tracks.undisturbed)).toEqual([]);
    expect(run.results).toContain('"trackIds":[1,2,3]');
  },
);
