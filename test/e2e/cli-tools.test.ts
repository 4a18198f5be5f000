/** `probe`, `validate`, `doctor`, `version` and `--help`: for people, and as JSON. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { streamInfer } from '../harness/command.ts';
import { makeVideo } from '../harness/made-videos.ts';
import { media } from '../harness/media.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-tools-'));
  makeVideo(join(directory, 'clip.mp4'), { seconds: 3 });
  await writeFile(join(directory, 'm.onnx'), 'not looked into');
  await writeFile(
    join(directory, 'c.yaml'),
    `algorithms:
  - {name: faces, use: onnx-detector, options: {model: m.onnx, family: yolox}, frameCount: 3, frameStep: 5, interval: 1}
  - {name: stats, use: frame-stats}
streams:
  - {id: lobby, source: clip.mp4, fps: 10}
  - {id: gate, source: 'rtsp://me:secret@gate/1', algorithms: [{name: stats, as: hourly, interval: 3600}]}
  - {id: hall, source: clip.mp4, fps: 5, algorithms: [{name: stats, interval: 0.5}]}
`,
  );
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const tool = (...args: string[]) => streamInfer(args, { cwd: directory });

describe('probe', () => {
  test('tells what a video is and how it would be played', async () => {
    const { status, stdout, stderr } = await tool('probe', 'clip.mp4');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/h264, 160 × 120\n/);
    expect(stdout).toMatch(/10 frames a second, constant\n/);
    expect(stdout).toMatch(/3\.0 s, 30 frames, 3 of them keyframes\n/);
    expect(stdout).toMatch(/offline, sampled by frame number, frames of 160 × 120/);
  });

  test('tells it as JSON', async () => {
    const { stdout } = await tool('probe', 'clip.mp4', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      source: join(directory, 'clip.mp4'),
      kind: 'file',
      facts: { width: 160, height: 120, fps: '10', sampling: 'index', live: false, codec: 'h264', durationSeconds: 3 },
      frames: 30,
      keyframes: 3,
      rotation: 0,
    });
  });

  test.skipIf(media === undefined)('tells a variable rate (needs STREAM_INFER_MEDIA)', async () => {
    const { stdout } = await tool('probe', join(media ?? '', 'videos', 'desks_vfr_h263.3gp'));
    expect(stdout).toMatch(/variable/);
    expect(stdout).toMatch(/sampled by presentation time/);
  });

  test.skipIf(media === undefined)(
    'tells what a model takes and gives, and how to use it (needs STREAM_INFER_MEDIA)',
    async () => {
      const { stdout, stderr, status } = await tool('probe', join(media ?? '', 'models', 'yolox_nano_416.onnx'));
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toMatch(/input +images: float32\[1, 3, 416, 416\]/);
      expect(stdout).toMatch(/output +output: float32\[1, 3549, 85\]/);
      expect(stdout).toMatch(/--algorithm NAME=onnx-detector,model=\S+,family=yolox/);
    },
  );

  test.each([
    ['gone.mp4', 'SOURCE_NOT_FOUND', 3],
    ['c.yaml', 'SOURCE_NOT_MEDIA', 3],
    ['gone.onnx', 'MODEL_NOT_FOUND', 2],
  ])('of %s is %s', async (argument, code, status) => {
    const result = await tool('probe', argument);
    expect(result.stderr).toMatch(new RegExp(`^${code}: .*${argument.replace('.', '\\.')}.*\\n$`));
    expect(result).toMatchObject({ status, stdout: '' });
  });
});

describe('validate', () => {
  test('tells streams, algorithms and windows', async () => {
    const { status, stdout, stderr } = await tool('validate', 'c.yaml');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.split('\n')).toEqual([
      'c.yaml is valid: 2 algorithms, 3 streams',
      expect.stringMatching(/^stream +mode +fps +algorithm +window +due$/),
      expect.stringMatching(/^lobby +offline +10 +faces +3 frames, every 5th +every 1 s$/),
      expect.stringMatching(/^lobby +offline +10 +stats +1 frame +at every frame$/),
      expect.stringMatching(/^gate +realtime +the source's +hourly \(stats\) +1 frame +every 3600 s$/),
      expect.stringMatching(/^hall +offline +5 +stats +1 frame +every 0\.4 s: 0\.5 s at 5 fps is 2 frames$/),
      '',
    ]);
  });

  test('tells the resolved streams as JSON, without credentials (I8)', async () => {
    const { stdout } = await tool('validate', 'c.yaml', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      file: 'c.yaml',
      streams: [{ id: 'lobby' }, { source: 'rtsp://***@gate/1' }, { id: 'hall' }],
    });
    expect(stdout).not.toContain('secret');
  });

  test('tells every file that is missing and every option that is unknown, without loading a model', async () => {
    await writeFile(
      join(directory, 'gone.yaml'),
      `algorithms:
  - {name: faces, use: onnx-detector, options: {model: gone.onnx, family: yolox}}
  - {name: mine, use: ./gone.mjs}
  - {name: stats, use: frame-stats, options: {hasj: true}}
streams:
  - {id: lobby, source: gone.mp4}
`,
    );
    const { status, stdout, stderr } = await tool('validate', 'gone.yaml');
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^MODEL_NOT_FOUND: .*gone\.onnx/),
      expect.stringMatching(/^MODULE_NOT_FOUND: .*gone\.mjs/),
      expect.stringMatching(/^ALGORITHM_OPTIONS: .*hasj is unknown: did you mean hash\?/),
      expect.stringMatching(/^SOURCE_NOT_FOUND: stream lobby: .*gone\.mp4/),
    ]);
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
  });

  test('loads modules as a run does, and calls no init', async () => {
    const modules = {
      'good.mjs':
        "setInterval(() => undefined, 1000);\nexport default class { init() { throw new Error('no'); } run() {} }\n",
      'syntax.mjs': 'export default class {\n  run() { const = 3; }\n}\n',
      'no-run.mjs': 'export default class { start() {} }\n',
    };
    for (const [name, text] of Object.entries(modules)) await writeFile(join(directory, name), text);
    const names = Object.keys(modules).map((name) => `{name: ${name.slice(0, -4)}, use: ./${name}}`);
    await writeFile(join(directory, 'mine.yaml'), `algorithms: [${names.join(', ')}]\n`);
    const { status, stdout, stderr } = await tool('validate', 'mine.yaml');
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(
        /^MODULE_BROKEN: algorithm "syntax": \/.*: Unexpected token '=' \(at \/.*syntax\.mjs:2:17\)$/,
      ),
      expect.stringMatching(/^MODULE_NO_DEFAULT_EXPORT: algorithm "no-run": .* has no run method/),
    ]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });

  test('says that a file without streams has nothing to run', async () => {
    await writeFile(join(directory, 'empty.yaml'), 'algorithms: [{name: a, use: frame-stats}]\n');
    expect(await tool('validate', 'empty.yaml')).toMatchObject({
      status: 0,
      stdout: 'empty.yaml is valid: 1 algorithm, 0 streams\nit lists no streams, so run --config has nothing to play\n',
    });
  });

  test('tells what is wrong, in one line', async () => {
    await writeFile(join(directory, 'wrong.yaml'), 'algorithms: [{name: a, use: b, intervall: 3}]\n');
    const { status, stderr } = await tool('validate', 'wrong.yaml');
    expect(stderr).toBe('CONFIG_UNKNOWN_KEY: wrong.yaml: algorithms[0].intervall is unknown: did you mean interval?\n');
    expect(status).toBe(2);
  });
});

test('doctor finds all that is needed on a machine that runs these tests', async () => {
  const { status, stdout, stderr } = await tool('doctor');
  expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: '' });
  for (const name of [
    'node',
    'ffmpeg',
    'ffprobe',
    'libx264',
    'nats-server',
    'setpriv',
    'ONNX Runtime',
    'memory',
    'temporary files',
  ])
    expect(stdout).toMatch(new RegExp(`^ok +${name} `, 'm'));
});

test('version tells the version', async () => {
  for (const argument of ['version', '--version'])
    expect(await tool(argument)).toEqual({ status: 0, stdout: `stream-infer ${manifest.version}\n`, stderr: '' });
  expect(JSON.parse((await tool('version', '--json')).stdout)).toMatchObject({ version: manifest.version });
});

test('a command that does not exist is told with the nearest', async () => {
  const { status, stdout, stderr } = await tool('prob', 'clip.mp4');
  expect({ status, stdout, stderr }).toEqual({
    status: 2,
    stdout: '',
    stderr: 'USAGE: there is no command prob: did you mean stream-infer probe?\n',
  });
});

test('help is on standard output', async () => {
  const { status, stdout, stderr } = await tool('run', '--help');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('--annotate FILE.mp4');
});
