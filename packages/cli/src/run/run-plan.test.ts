import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseCommandLine } from '../command-line.ts';
import { planRun, type RunPlan } from './run-plan.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-plan-'));
  await mkdir(join(directory, 'site'));
  for (const file of ['a.mp4', 'b.mp4', 'm.onnx', 'site/lobby.mp4']) await writeFile(join(directory, file), 'x');
  await writeFile(
    join(directory, 'site', 'c.yaml'),
    `algorithms:
  - {name: faces, use: onnx-detector, options: {model: m.onnx}, interval: 1}
  - {name: unused, use: ./unused.mjs}
streams:
  - {id: lobby, source: lobby.mp4, fps: 5, algorithms: [faces]}
  - {id: gate, source: lobby.mp4, fps: 6, algorithms: [faces]}
ingest: {ffmpegThreads: 1}
`,
  );
});
afterAll(() => rm(directory, { recursive: true }));

function plan(...args: string[]): Promise<RunPlan> {
  const command = parseCommandLine(['run', ...args.map((arg) => arg.replace('@', directory))]);
  if (command.name !== 'run') throw new Error(command.name);
  return planRun({ ...command, directory, stdoutIsTerminal: false });
}

const STATS = ['--algorithm', 'stats=frame-stats,interval=1'];

describe('run SOURCE', () => {
  test('makes a stream of each source, with the flags on all', async () => {
    const {
      specs,
      runners,
      directory: base,
    } = await plan(
      ...['a.mp4', 'b.mp4', ...STATS, '--fps', '29.97', '--width', '64', '--height', '48', '--pixel-format', 'gray'],
      ...['--position', '1.5', '--buffer', '40', '--video-stream', '1', '--mode', 'realtime', '--runners', '3'],
    );
    expect(runners).toBe(3);
    expect(base).toBe(directory);
    expect(specs.map(({ id }) => id)).toEqual(['a', 'b']);
    for (const spec of specs)
      expect(spec).toMatchObject({
        fps: '2997/100',
        width: 64,
        height: 48,
        pixelFormat: 'gray',
        position: '3/2',
        buffer: 40,
        videoStream: 1,
        mode: 'realtime',
        algorithms: [{ name: 'stats', interval: '1' }],
      });
  });

  test.each([
    [[], 'USAGE', /run needs a source/],
    [['a.mp4'], 'USAGE', /run needs an algorithm: add --algorithm stats=frame-stats,interval=1/],
    [['a.mp4', '--config', 'c.yaml'], 'USAGE', /SOURCE or --config, not both/],
    [['a.mp4', ...STATS, ...STATS], 'CONFIG_DUPLICATE_NAME', /--algorithm stats is given twice/],
    [['a.mp4', ...STATS, '--fps', '0'], 'CONFIG_INVALID', /^--fps is "0": it must be a number above 0/],
    [['a.mp4', ...STATS, '--fps', '-1'], 'CONFIG_INVALID', /^--fps is "-1"/],
    [['a.mp4', ...STATS, '--width', 'wide'], 'CONFIG_INVALID', /^--width is "wide": it must be a number/],
    [['a.mp4', ...STATS, '--mode', 'live'], 'CONFIG_INVALID', /^--mode is "live": it must be offline or realtime/],
    [['a.mp4', ...STATS, '--pixel-format', 'rgb'], 'CONFIG_INVALID', /^--pixel-format is "rgb": it must be bgr24/],
    [['a.mp4', ...STATS, '--runners', '0'], 'CONFIG_INVALID', /^--runners is "0": it must be a whole number from 1/],
    [['a.mp4', ...STATS, '--pixel-format', 'yuv420p', '--width', '63'], 'SIZE_ODD', /stream a: width is 63/],
    [['gone.mp4', ...STATS], 'SOURCE_NOT_FOUND', /gone\.mp4/],
    [['a.mp4', ...STATS, '--output', '-', '--json'], 'USAGE', /both write to standard output/],
    [
      ['a.mp4', ...STATS, '--output', 'gone/r.json'],
      'OUTPUT_UNWRITABLE',
      /gone\/r\.json cannot be written: its folder/,
    ],
    [['a.mp4', ...STATS, '--output', 'site'], 'OUTPUT_UNWRITABLE', /is a folder/],
    [['a.mp4', ...STATS, '--output', 'a.mp4/r.json'], 'OUTPUT_UNWRITABLE', /part of the path is a file/],
    [['a.mp4', ...STATS, '--output', 'r.csv'], 'USAGE', /--output r\.csv: results are JSON: .*\.json.*\.ndjson/],
    [['a.mp4', ...STATS, '--format', 'csv'], 'USAGE', /--format is "csv": it must be json or ndjson/],
    [['a.mp4', ...STATS, '--annotate', 'o.avi'], 'USAGE', /ends in \.mp4/],
    [['a.mp4', ...STATS, '--annotate', 'a.mp4'], 'USAGE', /a\.mp4 would be overwritten/],
    [['a.mp4', ...STATS, '--output', 'a.mp4', '--format', 'json'], 'USAGE', /a\.mp4 would be overwritten.*stream a/],
    [['rtsp://x/y', ...STATS, '--annotate', 'o.mp4'], 'USAGE', /stream y is none/],
  ])('%j is refused as %s', async (args, code, message) => {
    await expect(plan(...args)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('looks whether outputs can be written and leaves nothing there', async () => {
    const { output, annotations } = await plan(
      'a.mp4',
      'b.mp4',
      ...STATS,
      '--output',
      'r.ndjson',
      '--annotate',
      'o.mp4',
    );
    expect(output).toEqual({ kind: 'file', path: join(directory, 'r.ndjson'), format: 'ndjson' });
    expect([...annotations]).toEqual([
      ['a', join(directory, 'o-a.mp4')],
      ['b', join(directory, 'o-b.mp4')],
    ]);
    expect((await readdir(directory)).sort()).toEqual(['a.mp4', 'b.mp4', 'm.onnx', 'site']);
  });
});

describe('run --config', () => {
  test('takes paths relative to the file, flags over every stream, and only the algorithms in use', async () => {
    const { specs, configuration, directory: base } = await plan('--config', '@/site/c.yaml', '--fps', '2');
    expect(base).toBe(join(directory, 'site'));
    expect(specs.map(({ id, source, fps }) => [id, source, fps])).toEqual([
      ['lobby', join(directory, 'site', 'lobby.mp4'), '2'],
      ['gate', join(directory, 'site', 'lobby.mp4'), '2'],
    ]);
    expect(configuration.algorithms.map(({ name }) => name)).toEqual(['faces']);
    expect(configuration.algorithms[0]?.options).toEqual({ model: 'm.onnx' });
    expect(configuration).toMatchObject({ streams: [], ingest: { ffmpegThreads: 1 } });
  });

  test('names the environment variable that is to hold a source and is not set', async () => {
    await writeFile(
      join(directory, 'gate.yaml'),
      'algorithms: [{name: s, use: frame-stats}]\nstreams: [{id: gate, sourceFrom: {env: STREAM_INFER_NO_SUCH_URL}}]\n',
    );
    await expect(plan('--config', '@/gate.yaml')).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
      message: expect.stringMatching(/stream gate: .*STREAM_INFER_NO_SUCH_URL, which is not set: export /),
    });
  });

  test('an algorithm on the command line replaces that of the same name, with its paths relative to here', async () => {
    const { configuration } = await plan(
      '--config',
      '@/site/c.yaml',
      '--algorithm',
      'faces=onnx-detector,model=m.onnx,interval=2',
    );
    expect(configuration.algorithms).toEqual([
      expect.objectContaining({ name: 'faces', interval: '2', options: { model: join(directory, 'm.onnx') } }),
    ]);
  });
});
