/**
 * Everything that users get wrong: each with its code, its exit status, a message that names the culprit, and nothing else on
 * standard error.
 */

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { streamInfer } from '../harness/command.ts';
import { breakVideo, makeSound, makeVideo } from '../harness/made-videos.ts';
import { media } from '../harness/media.ts';

const STATS = ['--algorithm', 'stats=frame-stats,interval=1'];

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-bad-'));
  const at = (name: string): string => join(directory, name);
  makeVideo(at('whole.mp4'), { seconds: 4 });
  makeSound(at('sound.mp4'));
  breakVideo(at('whole.mp4'), at('header-alone.mp4'), [0, 1]);
  breakVideo(at('whole.mp4'), at('broken.mp4'), [0.5, 0.6]);
  await mkdir(at('no-videos'));
  const files = {
    'no-videos/notes.txt': 'x',
    'text.mp4': 'these are words\nand no video\n',
    'nothing.mp4': '',
    'corrupt.onnx': 'this is no model',
    'bare.mjs': 'export const run = () => 1;\n',
    'throws-in-init.mjs': "export default class { init() { throw new Error('no licence'); } run() { return 1; } }\n",
    'throws.mjs': "export default class { run([{ n }]) { if (n > 10) throw new Error('boom'); return n; } }\n",
    'never.mjs': 'export default class { run() { for (;;); } }\n',
    'infinite.mjs': 'export default class { run() { return { a: [Infinity] }; } }\n',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(at(name), text);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

type Expected = { readonly code: string; readonly status: number; readonly culprit: string | RegExp };

/** Runs and expects exactly one line on standard error. */
async function refuses(args: readonly string[], { code, status, culprit }: Expected): Promise<void> {
  const result = await streamInfer(args, { cwd: directory });
  const lines = result.stderr.split('\n').slice(0, -1);
  expect(lines, result.stderr).toHaveLength(1);
  expect(lines[0]).toMatch(new RegExp(`^${code}: `));
  expect(lines[0]).toMatch(culprit);
  expect(result.status).toBe(status);
  expect(result.stdout).toBe('');
}

describe('a source', () => {
  test.each([
    ['that does not exist', 'gone.mp4', 'SOURCE_NOT_FOUND'],
    ['that is a folder without videos', 'no-videos', 'SOURCE_NO_VIDEOS'],
    ['that is a glob without videos', 'no-videos/*', 'SOURCE_NO_VIDEOS'],
    ['that is an empty file', 'nothing.mp4', 'SOURCE_EMPTY'],
    ['that is a text file', 'text.mp4', 'SOURCE_NOT_MEDIA'],
    ['that has no video', 'sound.mp4', 'SOURCE_NO_VIDEO'],
    ['that has a header and no decodable frame', 'header-alone.mp4', 'SOURCE_NO_FRAMES'],
    ['that cannot be reached', 'rtsp://127.0.0.1:9/camera', 'SOURCE_UNREACHABLE'],
  ])('%s', async (_, source, code) => {
    await refuses(['run', source, ...STATS], { code, status: 3, culprit: source });
  });

  test('that a configuration names and that does not exist', async () => {
    await writeFile(
      join(directory, 'gone.yaml'),
      'algorithms: [{name: stats, use: frame-stats}]\nstreams: [{id: lobby, source: lobby.mp4}]\n',
    );
    const culprit = /stream lobby: .*lobby\.mp4 does not exist/;
    await refuses(['run', '--config', 'gone.yaml'], { code: 'SOURCE_NOT_FOUND', status: 3, culprit });
  });

  test('broken in the middle gives results for what decodes, and the loss is counted with its time', async () => {
    const run = (...more: string[]) =>
      streamInfer(['run', 'broken.mp4', '--algorithm', 'stats=frame-stats,hash=true', ...more], { cwd: directory });
    const { status, stdout, stderr } = await run('--json', '--output', 'broken.ndjson');
    expect(stderr).toMatch(
      /^SOURCE_DAMAGED: \S*broken\.mp4 is damaged at \d.*: \d+ of its 40 frames could not be decoded.*\n$/,
    );
    expect(status).toBe(0);
    const lost = Number(/: (\d+) of its/.exec(stderr)?.[1]);
    const { streams } = JSON.parse(stdout) as { streams: { broken: { decoded: number; fault: { code: string } } } };
    expect(streams.broken).toMatchObject({ decoded: 40 - lost, fault: { code: 'SOURCE_DAMAGED' } });
    const records = (await readFile(join(directory, 'broken.ndjson'), 'utf8')).trim().split('\n');
    expect(records.map((line) => (JSON.parse(line) as { sourceIndex: number }).sourceIndex)).toEqual(
      Array.from({ length: 40 - lost }, (_, index) => index),
    );
    expect((await run('--strict', '--output', 'strict.json')).status).toBe(1);
  });

  test('that gives nothing leaves the results of an earlier run as they are', async () => {
    await writeFile(join(directory, 'earlier.json'), '{"earlier":{}}\n');
    await streamInfer(['run', 'text.mp4', ...STATS, '--output', 'earlier.json'], { cwd: directory });
    expect(await readFile(join(directory, 'earlier.json'), 'utf8')).toBe('{"earlier":{}}\n');
  });
});

describe('a configuration', () => {
  const good = { algorithms: [{ name: 'stats', use: 'frame-stats' }], streams: [{ id: 'lobby', source: 'whole.mp4' }] };
  const withStream = (more: object) => ({ ...good, streams: [{ ...good.streams[0], ...more }] });
  const withAlgorithm = (more: object) => ({ ...good, algorithms: [{ ...good.algorithms[0], ...more }] });

  test.each([
    [
      'with an unknown key',
      withStream({ heigth: 4 }),
      'CONFIG_UNKNOWN_KEY',
      /streams\[0\]\.heigth .*did you mean height/,
    ],
    ['with a wrong type', withStream({ fps: 'fast' }), 'CONFIG_INVALID', /streams\[0\]\.fps is "fast"/],
    ['with an fps of 0', withStream({ fps: 0 }), 'CONFIG_INVALID', /streams\[0\]\.fps is 0/],
    ['with an fps below 0', withStream({ fps: -5 }), 'CONFIG_INVALID', /streams\[0\]\.fps is -5/],
    [
      'with two streams of one id',
      { ...good, streams: [...good.streams, ...good.streams] },
      'CONFIG_DUPLICATE_NAME',
      'lobby',
    ],
    [
      'with two algorithms of one name',
      { ...good, algorithms: [...good.algorithms, ...good.algorithms] },
      'CONFIG_DUPLICATE_NAME',
      'stats',
    ],
    [
      'with an algorithm that it does not define',
      withStream({ algorithms: ['stat'] }),
      'CONFIG_UNKNOWN_ALGORITHM',
      /did you mean stats/,
    ],
    [
      'with an interval shorter than a frame',
      { ...withAlgorithm({ interval: 0.05 }), streams: [{ ...good.streams[0], fps: 5 }] },
      'INTERVAL_TOO_SHORT',
      /stream lobby, algorithm stats/,
    ],
    [
      "with an interval shorter than a frame of the source's",
      withAlgorithm({ interval: 0.05 }),
      'INTERVAL_TOO_SHORT',
      /stream lobby, algorithm stats.*10 fps/,
    ],
    [
      'with a window larger than the buffer',
      { ...withAlgorithm({ frameCount: 4, frameStep: 10 }), streams: [{ ...good.streams[0], buffer: 39 }] },
      'WINDOW_EXCEEDS_BUFFER',
      /algorithm stats.*40.*39/,
    ],
    [
      'with an odd size for yuv420p',
      withStream({ pixelFormat: 'yuv420p', width: 161 }),
      'SIZE_ODD',
      /stream lobby: width is 161/,
    ],
    [
      'with a size that the bus cannot hold',
      withStream({ width: 16000, height: 9000 }),
      'SIZE_TOO_LARGE',
      /stream lobby.*16000x9000.*choose \d+x\d+/,
    ],
    ['that is no mapping', [], 'CONFIG_INVALID', 'mapping'],
    ['without streams', { ...good, streams: [] }, 'CONFIG_INVALID', 'streams is empty'],
  ])('%s', async (_, configuration, code, culprit) => {
    await writeFile(join(directory, 'c.json'), JSON.stringify(configuration));
    await refuses(['run', '--config', 'c.json'], { code, status: 2, culprit });
  });

  test('that is no YAML, with the line, and a mark below the place', async () => {
    await writeFile(join(directory, 'c.yaml'), 'algorithms:\n  - {name: a\nstreams: []\n');
    const { status, stderr } = await streamInfer(['run', '--config', 'c.yaml'], { cwd: directory });
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(/^CONFIG_SYNTAX: c\.yaml: .* at line 3, column 1$/),
      ...['  - {name: a', 'streams: []', '^', ''],
    ]);
    expect(status).toBe(2);
  });

  test('that does not exist', async () => {
    await refuses(['run', '--config', 'gone.yaml.'], { code: 'CONFIG_NOT_FOUND', status: 2, culprit: 'gone.yaml.' });
  });

  test('on the command line is refused by the name of its option', async () => {
    await refuses(['run', 'whole.mp4', ...STATS, '--fps', '0'], {
      code: 'CONFIG_INVALID',
      status: 2,
      culprit: /--fps is "0"/,
    });
  });
});

describe('an algorithm', () => {
  const use = (text: string): string[] => ['run', 'whole.mp4', '--algorithm', text];

  test.each([
    ['whose model is missing', 'a=onnx-detector,model=gone.onnx,family=yolox', 'MODEL_NOT_FOUND', 'gone.onnx'],
    ['whose model is corrupt', 'a=onnx-detector,model=corrupt.onnx,family=yolox', 'MODEL_CORRUPT', 'corrupt.onnx'],
    ['whose options it does not take', 'a=frame-stats,hasj=true', 'ALGORITHM_OPTIONS', 'hasj'],
    ['whose module is missing', './gone.mjs', 'MODULE_NOT_FOUND', 'gone.mjs'],
    ['whose module has no default export', './bare.mjs', 'MODULE_NO_DEFAULT_EXPORT', 'bare.mjs'],
    ['that throws in init', './throws-in-init.mjs', 'ALGORITHM_INIT_FAILED', /throws-in-init.*no licence/],
  ])('%s', async (_, text, code, culprit) => {
    await refuses(use(text), { code, status: 2, culprit });
  });

  test.skipIf(media === undefined)(
    'whose model is of a shape that its family cannot read (needs STREAM_INFER_MEDIA)',
    async () => {
      const model = join(media ?? '', 'models', 'ultraface-rfb-320.onnx');
      const culprit = /ultraface-rfb-320\.onnx.*family yolox/;
      await refuses(use(`a=onnx-detector,model=${model},family=yolox`), { code: 'MODEL_SHAPE', status: 2, culprit });
    },
  );

  test('that throws in run has error results, counted, and the run goes on', async () => {
    const { status, stdout, stderr } = await streamInfer([...use('./throws.mjs,interval=0.5'), '--output', '-'], {
      cwd: directory,
    });
    const results = JSON.parse(stdout) as { whole: { throws: Record<string, unknown> } };
    expect(results.whole.throws).toMatchObject({ '0.5': 5, '1': 10, '1.5': { $error: { code: 'ALGORITHM_FAILED' } } });
    expect(Object.keys(results.whole.throws)).toHaveLength(8);
    expect(stderr).toMatch(
      /^ALGORITHM_FAILED: stream whole, algorithm throws: 6 of 8 invocations failed, first at 1\.5 s: .*boom \(at \/.*\/throws\.mjs:\d+:\d+\)$/m,
    );
    expect(status).toBe(0);
  });

  test('that throws in run fails a strict run', async () => {
    const { status } = await streamInfer([...use('./throws.mjs,interval=1'), '--strict', '--json'], { cwd: directory });
    expect(status).toBe(1);
  });

  test('that never returns, or returns what JSON cannot hold, has error results and never succeeds (D7)', async () => {
    const { status, stdout, stderr } = await streamInfer(
      [...use('./never.mjs,interval=1,timeoutMs=300'), '--algorithm', './infinite.mjs,interval=2', ...STATS, '--json'],
      { cwd: directory },
    );
    // More timeouts than a runner bears: it is started anew and goes on.
    expect(stderr).toMatch(/^ALGORITHM_TIMEOUT: stream whole, algorithm never: 4 of 4 invocations failed.*300/m);
    expect(stderr).toMatch(
      /^RESULT_NOT_JSON: stream whole, algorithm infinite: 2 of 2 invocations failed.*Infinity at \$\.a\[0\]/m,
    );
    expect(stderr.match(/^ALGORITHM_NEVER_SUCCEEDED: /gm)).toHaveLength(2);
    const { streams } = JSON.parse(stdout) as { streams: { whole: { algorithms: object } } };
    expect(streams.whole.algorithms).toMatchObject({
      never: { triggered: 4, completed: 0, failed: 4 },
      infinite: { triggered: 2, completed: 0, failed: 2 },
      stats: { triggered: 4, completed: 4, failed: 0 },
    });
    expect(status).toBe(1);
  });
});
