/** `stream-infer up` with a data folder: every stream is back after everything was stopped or killed. */

import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { streamInfer } from '../harness/command.ts';
import { eventually } from '../harness/eventually.ts';
import { streamOf, withResults } from '../harness/up.ts';
import { upWorld } from '../harness/up-world.ts';

const video = join(import.meta.dirname, '..', 'conformance', 'videos', 'counter30.mp4');
const PICTURE = 'lavfi:testsrc=size=64x48:rate=10';
const CONFIGURATION = `algorithms:
  - {name: stats, use: frame-stats, interval: 0.2}
  - {name: rare, use: frame-stats, interval: 1}
`;

const world = upWorld();

describe('a data folder', () => {
  const args = ['--config', 'site.yaml', '--data', 'data'];

  test('may hold a stream of the file that another applied since: what to do is told in words of `up`', async () => {
    const file = join(world.directory, 'owned.yaml');
    await writeFile(file, `${CONFIGURATION}streams:\n  - {id: file, source: '${PICTURE}'}\n`);
    const owned = ['--config', file, '--data', 'owned'];
    let up = await world.start(...owned);
    await eventually('the stream', async () => (await streamOf(up, 'file')).definition);
    await up.streams('remove', 'file');
    expect(await up.streams('apply', file)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^added: file\n/),
    });
    await up.stop();
    up = await world.start(...owned);
    await withResults(up, 'file', 1);
    const { stderr } = await up.stop();
    expect(stderr).toMatch(/^STREAM_EXISTS: stream file was applied by cli, not by up: .*streams remove file/m);
    expect(stderr).not.toContain('--owner');
  });

  test('brings every stream back after everything was killed, and is held by one system at a time', async () => {
    await writeFile(
      join(world.directory, 'site.yaml'),
      `${CONFIGURATION}streams:\n  - {id: file, source: '${PICTURE}'}\n`,
    );
    let up = await world.start(...args);
    await up.streams('add', 'live', PICTURE, '--algorithm', 'stats');
    await up.streams('add', 'job', video, '--algorithm', 'rare', '--pixel-format', 'gray');
    const before = await withResults(up, 'live', 3);
    const file = await withResults(up, 'file', 1);
    await eventually('the job has ended', async () => (await streamOf(up, 'job')).state === 'ended');
    const job = await streamOf(up, 'job');

    // Its own server is reached by who may read the folder.
    expect(await streamInfer(['dead-letters', 'list', '--data', 'data'], { cwd: world.directory })).toMatchObject({
      ...{ status: 0, stderr: '' },
    });
    expect((await stat(join(world.directory, 'data', 'bus.json'))).mode & 0o777).toBe(0o600);

    const second = await streamInfer(['up', '--http', '0', ...args], { cwd: world.directory });
    expect(second).toMatchObject({
      status: 4,
      stderr: expect.stringMatching(/^DATA_IN_USE: .*data is the data of process/),
    });

    await up.killAll();
    up = await world.start(...args);
    // The run goes on where the time has come to (EX-8).
    const live = await withResults(up, 'live', before.results + 3);
    expect(live).toMatchObject({ definition: before.definition, revision: before.revision, state: 'running' });
    expect(live.run).toBe(before.run);
    expect((await withResults(up, 'file', 3)).revision).toBe(file.revision);
    // What ended stays ended, with its results.
    const { run, state, results } = job;
    expect(await streamOf(up, 'job')).toMatchObject({ run, state, results });
    const old = await (await fetch(`${up.apiUrl}/v1/streams/live/results?run=${before.run}`)).json();
    expect(Object.keys((old as { stats: object }).stats).length).toBeGreaterThanOrEqual(3);
    expect((await up.stop()).status).toBe(0);
    expect(await readdir(join(world.directory, 'data'))).not.toContain('up.pid');
  });
});
