/** `stream-infer up` and `stream-infer streams`: streams come and go while it runs. */

import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StreamReport } from '@stream-infer/core/stream-report';
import { beforeAll, describe, expect, test } from 'vitest';
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
beforeAll(() => writeFile(join(world.directory, 'installation.yaml'), CONFIGURATION));

describe('streams of a system that is up', () => {
  test('are added, changed and removed by the command, each without a change for the other', async () => {
    const up = await world.start('--config', 'installation.yaml');
    expect(await up.streams('add', 'one', PICTURE, '--mode', 'realtime')).toMatchObject({
      status: 0,
      stdout: 'added: one; how it fares: stream-infer streams show one\n',
    });
    expect(await up.streams('add', 'two', PICTURE, '--algorithm', 'stats,as=own,interval=0.5')).toMatchObject({
      status: 0,
    });
    const one = await withResults(up, 'one', 3);
    const now = await eventually('what its source and its algorithms are doing', async () => {
      const report = await streamOf(up, 'one');
      return report.source?.state === 'playing' && (report.algorithms.stats?.completed ?? 0) > 3 && report;
    });
    expect(now.source).toMatchObject({ reason: 'frames', framesPerSecond: expect.any(Number) });
    expect(now.algorithms.stats).toMatchObject({ state: 'followed', failed: 0 });
    expect(now.algorithms.stats?.lastResultAgeMs).toBeLessThan(5_000);
    const two = await withResults(up, 'two', 3);

    expect(await up.streams('update', 'two', '--fps', '5')).toMatchObject({ status: 0, stdout: 'updated: two\n' });
    const updated = await eventually('another run of two', async () => {
      const report = await streamOf(up, 'two');
      return report.results > 0 && report.run !== two.run && report;
    });
    expect(updated.definition).toMatchObject({ fps: '5', source: PICTURE, algorithms: [{ name: 'stats', as: 'own' }] });

    expect(await up.streams('remove', 'two')).toMatchObject({ status: 0, stdout: 'removed: two\n' });
    await eventually('two is over', async () => (await streamOf(up, 'two')).definition === null);
    const listed = async (...flags: string[]) => {
      const { streams } = JSON.parse((await up.streams('list', '--json', ...flags)).stdout);
      return (streams as StreamReport[]).map(({ id, owner, definition }) => [id, owner, definition?.mode]);
    };
    const registered = [['one', null, 'realtime']];
    expect(await listed()).toEqual(registered);
    expect(await listed('--all')).toEqual([...registered, ['two', null, undefined]]);
    expect((await up.streams('list')).stdout).toMatch(/^one .*\nand 1 removed, of which results are left: --all/m);
    expect(await withResults(up, 'one', one.results + 3)).toMatchObject({ run: one.run, state: 'running' });
    // Other algorithms alone are no other run (EX-10).
    const both = ['--algorithm', 'stats', '--algorithm', 'stats,as=second,interval=0.5'];
    expect(await up.streams('update', 'one', ...both)).toMatchObject({ status: 0, stdout: 'updated: one\n' });
    const second = await eventually('an algorithm more', async () => {
      const report = await streamOf(up, 'one');
      return (report.algorithms.second?.completed ?? 0) > 1 && report;
    });
    expect([second.run, second.state, second.algorithms.stats?.failed]).toEqual([one.run, 'running', 0]);
    const shown = await up.streams('show', 'one');
    expect(shown.stdout).toMatch(/^stream +one\n[\s\S]*source +lavfi:testsrc[\s\S]*algorithm +stats: \d+ results/m);
    expect((await up.stop()).status).toBe(0);
  });

  test('of a list are added, changed and removed with it, and those of other owners left alone', async () => {
    const up = await world.start('--config', 'installation.yaml');
    const list = async (...streams: string[]): Promise<string> => {
      const file = join(world.directory, 'list.yaml');
      await writeFile(file, `streams:\n${streams.map((line) => `  - ${line}\n`).join('') || '  []\n'}`);
      return file;
    };
    await up.streams('add', 'alone', PICTURE);
    const first = await list(`{id: a, source: '${PICTURE}'}`, `{id: b, source: '${PICTURE}'}`);
    expect((await up.streams('apply', first, '--owner', 'site')).stdout).toBe(
      'added: a, b\nchanged: none\nunchanged: none\nremoved: none\n',
    );
    const second = await list(`{id: b, source: '${PICTURE}', fps: 5}`, `{id: c, source: './missing.mp4'}`);
    expect((await up.streams('apply', second, '--owner', 'site')).stdout).toBe(
      'added: c\nchanged: b\nunchanged: none\nremoved: a\n',
    );
    expect(JSON.parse((await up.streams('apply', second, '--owner', 'site', '--json')).stdout)).toEqual({
      ...{ added: [], changed: [], unchanged: ['b', 'c'], removed: [], faults: [], exitStatus: 0 },
    });
    expect((await streamOf(up, 'c')).definition?.source).toBe(join(world.directory, 'missing.mp4'));
    await eventually('c has failed, by name', async () => (await streamOf(up, 'c')).fault?.code === 'SOURCE_NOT_FOUND');

    const whole = join(world.directory, 'whole.yaml');
    await writeFile(
      whole,
      `algorithms: [{name: stats, use: frame-stats, interval: 3}]\nstreams: [{id: b, source: '${PICTURE}', fps: 5}]\n`,
    );
    expect((await up.streams('apply', whole, '--owner', 'site', '--wait', '30')).stdout).toContain('changed: b\n');
    expect((await streamOf(up, 'b')).definition?.algorithms).toMatchObject([{ name: 'stats', interval: '3' }]);
    expect((await up.streams('apply', whole, '--owner', 'site')).stdout).toContain('unchanged: b\n');

    const unknown = await list(`{id: d, source: '${PICTURE}', algorithms: [nobody]}`, `{id: e, source: '${PICTURE}'}`);
    expect(await up.streams('apply', unknown, '--owner', 'site', '--wait', '2')).toEqual({
      status: 2,
      stdout: 'added: e\nchanged: none\nunchanged: none\nremoved: none\n',
      stderr: expect.stringMatching(/^waiting: (CONFIG_UNKNOWN_ALGORITHM: stream d: .*)\n\1\n$/),
    });

    const refused = await up.streams('apply', await list(`{id: alone, source: '${PICTURE}'}`), '--owner', 'site');
    expect(refused).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^STREAM_EXISTS: stream alone was added alone/),
    });
    await up.streams('apply', await list(), '--owner', 'site');
    const { streams } = JSON.parse((await up.streams('list', '--json')).stdout) as { streams: StreamReport[] };
    expect(streams.map(({ id }) => id)).toEqual(['alone']);
  });

  test('are watched: a line for each as it changes, until nobody reads', async () => {
    const up = await world.start('--config', 'installation.yaml');
    await up.streams('add', 'one', PICTURE);
    let seen = '';
    const watching = streamInfer(['streams', 'watch', 'one', '--api', up.apiUrl], {
      onStart(child) {
        child.stdout?.on('data', (text: string) => {
          seen += text;
          if (seen.split('\n').length > 4) child.kill('SIGINT');
        });
      },
    });
    expect((await watching).stderr).toBe('');
    expect(seen).toMatch(
      /^one {2}playing {2}\d+\.\d fps, \d+ frames decoded, \d+ needed and published.* {2}stats: \d+ results/m,
    );
    expect(await up.streams('watch', 'nobody')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^UNKNOWN_STREAM/),
    });
  });

  test('that are jobs run to their end, and again when they are put again (EX-10)', async () => {
    const up = await world.start('--config', 'installation.yaml');
    await writeFile(
      join(world.directory, 'job.yaml'),
      `{id: job, source: '${video}', pixelFormat: gray, algorithms: [rare]}\n`,
    );
    await up.streams('add', '--file', 'job.yaml');
    const done = async (): Promise<StreamReport> =>
      eventually('the job is done', async () => {
        const report = await streamOf(up, 'job');
        return report.state === 'ended' && report;
      });
    const first = await done();
    expect(first).toMatchObject({ results: 10, end: { decoded: 300 }, fault: null });
    await up.streams('update', 'job');
    const second = await done();
    expect(second).toMatchObject({ results: 10 });
    expect(second.run).not.toBe(first.run);
    const results = await (await fetch(`${up.apiUrl}/v1/streams/job/results`)).json();
    expect(Object.keys((results as { rare: object }).rare)).toHaveLength(10);
  });
});

describe('what is refused', () => {
  test('is told in one line with the exit status of its fault', async () => {
    const up = await world.start('--algorithm', 'stats=frame-stats,interval=1');
    await up.streams('add', 'gate', 'rtsp://admin:n0-one-sees@127.0.0.1:9/1');
    const cases: [string[], number, RegExp][] = [
      [
        ['add', 'gate', PICTURE],
        2,
        /^STREAM_EXISTS: there is a stream gate already: change it with stream-infer streams update gate, or/,
      ],
      [['add', 'a.b', PICTURE], 2, /^CONFIG_INVALID: stream a.b: id is "a.b": it must be 1 to 64 letters/],
      [['add', 'b', PICTURE, '--algorithm', 'faces'], 2, /^CONFIG_UNKNOWN_ALGORITHM: .* faces, .* it defines stats/],
      [['add', 'b', PICTURE, '--algorithm', 'stats,intervall=2'], 2, /^CONFIG_UNKNOWN_KEY: .* did you mean interval\?/],
      [['add', 'b'], 2, /^USAGE: streams add takes the id and the source/],
      [['add', '--file', 'none.yaml'], 2, /^CONFIG_NOT_FOUND: none.yaml/],
      [['show', 'nobody'], 2, /^UNKNOWN_STREAM: no stream nobody is registered, and nothing of one is stored/],
      [['update', 'nobody', '--fps', '5'], 2, /^UNKNOWN_STREAM: no stream nobody is registered/],
      [['remove', 'nobody'], 2, /^UNKNOWN_STREAM: .*nobody/],
      [['update', 'gate', '--source', 'rtsp://***@127.0.0.1:9/2'], 2, /^CONFIG_INVALID: .*the password is left out/],
      [['lst'], 2, /^USAGE: there is no streams lst: did you mean list\?/],
      [['list', '--api', 'nonsense'], 2, /^USAGE: --api is nonsense/],
      [['list', '--api', 'http://127.0.0.1:9'], 4, /^API_UNREACHABLE: no API answers at http:\/\/127.0.0.1:9/],
    ];
    for (const [args, status, message] of cases) {
      const refused = await up.streams(...args);
      expect(refused, args.join(' ')).toMatchObject({ status, stdout: '', stderr: expect.stringMatching(message) });
      expect(refused.stderr.trim().split('\n')).toHaveLength(1);
    }
    // Of several what was removed before one that could not be is told.
    await up.streams('add', 'typo', PICTURE);
    expect(await up.streams('remove', 'typo', 'nobody')).toMatchObject({
      ...{ status: 2, stdout: 'removed: typo\n', stderr: expect.stringMatching(/^UNKNOWN_STREAM: .*nobody/) },
    });
    // What is not given of it stays, its password too.
    expect(await up.streams('update', 'gate', '--fps', '3')).toMatchObject({ status: 0, stdout: 'updated: gate\n' });
    const all = await up.streams('list', '--json');
    expect(all.stdout).toContain('rtsp://***@127.0.0.1:9/1');
    expect(JSON.stringify([all, await up.stop()])).not.toContain('n0-one-sees');
  });

  test('a port that is taken keeps it from starting, and is named', async () => {
    const up = await world.start('--algorithm', 'stats=frame-stats,interval=1');
    const { port } = new URL(up.apiUrl);
    const refused = await streamInfer(['up', '--algorithm', 'stats=frame-stats', '--http', port], {
      cwd: world.directory,
    });
    expect(refused).toMatchObject({
      status: 4,
      stderr: expect.stringMatching(new RegExp(`^PORT_IN_USE: .*${port}`, 'm')),
    });
  });

  test('a server that answers and is no API is told as such', async () => {
    const up = await world.start('--algorithm', 'stats=frame-stats,interval=1');
    const refused = await up.streams('list', '--api', `${up.apiUrl}/elsewhere`);
    expect(refused).toMatchObject({ status: 4, stderr: expect.stringMatching(/^API_FAILED: /) });
  });
});

describe('while it starts', () => {
  test('Ctrl-C ends it, and says that it was not up', async () => {
    const temporary = await mkdtemp(join(world.directory, 'early-'));
    const started = Promise.withResolvers<ChildProcess>();
    const result = streamInfer(['up', '--http', '0', '--algorithm', 'stats=frame-stats,interval=1'], {
      cwd: world.directory,
      environment: { TMPDIR: temporary },
      onStart: started.resolve,
    });
    const child = await started.promise;
    await eventually('it has begun to start', async () => (await readdir(temporary)).length > 0);
    child.kill('SIGINT');
    expect(await result).toEqual({
      ...{ status: 130, stdout: '', stderr: 'interrupted before it was up: nothing was played\n' },
    });
  });
});

test('where the services have their metrics is told, and the API says that it has none', async () => {
  const up = await world.start('--algorithm', 'stats=frame-stats,interval=1');
  const answer = await fetch(`${up.apiUrl}/metrics`);
  expect(answer.status).toBe(404);
  expect(await answer.text()).toMatch(/GET \/metrics is not of this API: each service has it on a port of its own/);
  const { stdout } = await up.stop();
  const [, told = ''] = /^\/metrics and \/v2\/health\/ready are at (.*)$/m.exec(stdout) ?? [];
  expect(told.split(', ').map((place) => place.replace(/ http:\/\/127\.0\.0\.1:\d+$/, ''))).toEqual([
    ...['collector', 'scheduler', 'ingest', 'algo-runner'],
  ]);
});
