/** What `stream-infer run` takes and gives: sources and configurations in, results as JSON, as records, as a summary out. */

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { streamInfer } from '../harness/command.ts';
import { makeVideo } from '../harness/made-videos.ts';

const WHO = `export default class {
  async init(context) { this.words = await import(context.resolvePath(context.options.words)); }
  run([{ n, index, pixelFormat, width, height }], context) {
    console.log('a print of the module');
    return { n, index, pixelFormat, width, height, stream: context.stream, word: this.words.default };
  }
}
`;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-run-'));
  await mkdir(join(directory, 'site'));
  makeVideo(join(directory, 'site', 'lobby.mp4'), { seconds: 3 });
  makeVideo(join(directory, 'site', 'gate.mp4'), { seconds: 2, fps: 5, size: '64x48' });
  await writeFile(join(directory, 'site', 'words.mjs'), "export default 'hello';\n");
  await writeFile(join(directory, 'site', 'who.mjs'), WHO);
  await writeFile(
    join(directory, 'site', 'site.yaml'),
    `algorithms:
  - {name: who, use: ./who.mjs, options: {words: words.mjs}, interval: 1}
  - {name: stats, use: frame-stats, interval: 1}
  - {name: never-used, use: ./there-is-none.mjs}
streams:
  - {id: lobby, source: lobby.mp4, algorithms: [who, {name: who, as: twice, interval: 0.5}]}
  - {id: gate, source: gate.mp4, pixelFormat: gray, algorithms: [who, stats]}
`,
  );
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const run = (...args: string[]) => streamInfer(['run', ...args], { cwd: directory });

describe('results', () => {
  test('stand on standard output where that is no terminal, with the table beside them on standard error', async () => {
    const { status, stdout, stderr } = await run('site/gate.mp4', '--algorithm', 'stats=frame-stats,interval=0.4');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\{"gate":\{"stats":\{"0\.4":\{.*\},"0\.8":\{.*\},"1\.2":.*"2":\{.*\}\}\}\}\n$/);
    expect(stderr).toMatch(
      /^stream +algorithm +frames +invocations +results +errors +elapsed +× realtime\ngate +stats +10 +5 +5 +0 /,
    );
  });

  test('of a folder have a stream for each of its videos, and two runs give the same bytes (I2)', async () => {
    for (const output of ['first.json', 'second.json'])
      expect(await run('site', '--algorithm', 'frame-stats,interval=1,hash=true', '--output', output)).toMatchObject({
        status: 0,
        stderr: '',
      });
    const [first, second] = await Promise.all(
      ['first.json', 'second.json'].map((name) => readFile(join(directory, name), 'utf8')),
    );
    expect(second).toBe(first);
    const results = JSON.parse(first ?? '') as Record<string, Record<string, object>>;
    expect(Object.keys(results)).toEqual(['gate', 'lobby']);
    expect(Object.keys(results.lobby?.['frame-stats'] ?? {})).toEqual(['1', '2', '3']);
  });

  test('as .ndjson are whole records, ascending by n', async () => {
    await run(
      'site/lobby.mp4',
      '--algorithm',
      'a=frame-stats,interval=1',
      '--algorithm',
      'b=frame-stats,interval=1',
      '--output',
      'r.ndjson',
    );
    const records = (await readFile(join(directory, 'r.ndjson'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(records).toHaveLength(6);
    expect(records).toMatchObject(
      [10, 20, 30].flatMap((n) =>
        ['a', 'b'].map((algorithm) => ({
          stream: 'lobby',
          algorithm,
          n,
          key: String(n / 10),
          sourceIndex: n - 1,
          attempts: 1,
        })),
      ),
    );
  });
});

describe('a configuration', () => {
  test('has its paths relative to itself, flags over every stream, and nothing of algorithms that no stream uses', async () => {
    const { status, stdout, stderr } = await run(
      '--config',
      'site/site.yaml',
      '--width',
      '32',
      '--height',
      '24',
      '--runners',
      '2',
      '--output',
      '-',
    );
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const results = JSON.parse(stdout) as Record<string, Record<string, Record<string, object>>>;
    expect(results.lobby?.who?.['1']).toEqual({
      n: 10,
      index: 9,
      pixelFormat: 'bgr24',
      width: 32,
      height: 24,
      stream: 'lobby',
      word: 'hello',
    });
    expect(results.gate?.who?.['2']).toEqual({
      n: 10,
      index: 9,
      pixelFormat: 'gray',
      width: 32,
      height: 24,
      stream: 'gate',
      word: 'hello',
    });
    expect(stdout).toMatch(/"twice":\{"0\.5":.*,"1":.*,"1\.5":.*,"2":.*,"2\.5":.*,"3":/);
    expect(Object.keys(results.gate ?? {})).toEqual(['stats', 'who']);
    expect(stderr).toContain('a print of the module\n');
  });
});

test("an algorithm's own log is shown where LOG_LEVEL asks for it", async () => {
  await writeFile(
    join(directory, 'talks.mjs'),
    "export default class { init({ logger }) { logger.info('model loaded', { classes: 3 }); } run() { return 1; } }\n",
  );
  const args = ['run', 'site/gate.mp4', '--algorithm', './talks.mjs,interval=1', '--output', 'talk.json'];
  const { stderr } = await streamInfer(args, { cwd: directory, environment: { LOG_LEVEL: 'info' } });
  expect(stderr).toBe('info: model loaded, algorithm talks, classes 3\n');
});

describe('the summary', () => {
  test('is a table on standard output where results go to a file', async () => {
    const { stdout, stderr } = await run(
      'site/lobby.mp4',
      '--algorithm',
      'stats=frame-stats,interval=1',
      '--output',
      't.json',
    );
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^stream .*\nlobby +stats +30 +3 +3 +0 .*\nresults: .*\/t\.json\n$/);
  });

  test('is one JSON object with --json', async () => {
    const { stdout, stderr } = await run(
      'site/lobby.mp4',
      '--algorithm',
      'stats=frame-stats,interval=1',
      '--output',
      'j.json',
      '--json',
    );
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      streams: {
        lobby: {
          source: join(directory, 'site', 'lobby.mp4'),
          mode: 'offline',
          run: expect.any(String),
          decoded: 30,
          played: 30,
          published: 3,
          elapsedMs: expect.any(Number),
          videoSeconds: 3,
          realtimeFactor: expect.any(Number),
          algorithms: { stats: { triggered: 3, completed: 3, failed: 0, dropped: {} } },
          notices: [],
          fault: null,
        },
      },
      output: join(directory, 'j.json'),
      annotations: {},
      faults: [],
      exitStatus: 0,
    });
  });

  test('with --json takes the place of the results, which is told where no file keeps them', async () => {
    const { stdout, stderr } = await run('site/lobby.mp4', '--algorithm', 'stats=frame-stats,interval=1', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ output: null, exitStatus: 0 });
    expect(stderr).toBe('results were not kept: add --output results.json\n');
  });

  test('with --json tells a fault before the start as well', async () => {
    const { status, stdout, stderr } = await run('gone.mp4', '--algorithm', 'stats=frame-stats', '--json');
    expect(JSON.parse(stdout)).toEqual({
      faults: [{ code: 'SOURCE_NOT_FOUND', message: expect.stringContaining('gone.mp4') }],
      exitStatus: 3,
    });
    expect(stderr).toMatch(/^SOURCE_NOT_FOUND: /);
    expect(status).toBe(3);
  });

  test('of several sources of which one cannot be played has the results of the others, and its exit status', async () => {
    await writeFile(join(directory, 'words.mp4'), 'these are words\n');
    const { status, stdout, stderr } = await run(
      'site/lobby.mp4',
      'words.mp4',
      '--algorithm',
      'stats=frame-stats,interval=1',
      '--output',
      '-',
    );
    expect(stderr).toMatch(/^SOURCE_NOT_MEDIA: .*words\.mp4/m);
    expect(JSON.parse(stdout)).toMatchObject({ lobby: { stats: { '1': {}, '2': {}, '3': {} } }, words: {} });
    expect(status).toBe(3);
  });
});

test('a file in realtime takes as long as it lasts, and its results tell when its frames were captured', async () => {
  const { status, stdout, stderr } = await run(
    'site/gate.mp4',
    '--mode',
    'realtime',
    '--algorithm',
    'stats=frame-stats,interval=1',
    '--json',
    '--output',
    'live.ndjson',
  );
  expect(status, stderr).toBe(0);
  const { streams } = JSON.parse(stdout) as { streams: { gate: { mode: string; elapsedMs: number } } };
  expect(streams.gate.mode).toBe('realtime');
  expect(streams.gate.elapsedMs).toBeGreaterThan(1_500);
  const [first, second] = (await readFile(join(directory, 'live.ndjson'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { capturedAtMs: number });
  expect((second?.capturedAtMs ?? 0) - (first?.capturedAtMs ?? 0)).toBeGreaterThan(700);
});
