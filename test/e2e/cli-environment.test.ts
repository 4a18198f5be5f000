/** What a machine lacks or refuses: told by the command in one line, before anything plays, with exit status 4. */

import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeVideo } from '../harness/made-videos.ts';
import { root } from '../harness/programs.ts';

const STATS = ['--algorithm', 'stats=frame-stats,interval=1'];

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-environment-'));
  makeVideo(join(directory, 'whole.mp4'), { seconds: 2 });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

type Outcome = { readonly status: number; readonly stdout: string; readonly stderr: string };

/** The command without its launcher, which looks for programs where the PATH does not. */
function command(args: readonly string[], path = process.env.PATH): Promise<Outcome> {
  const main = join(root, 'packages', 'cli', 'src', 'main.ts');
  return new Promise((resolve) => {
    const options = { cwd: directory, env: { ...process.env, PATH: path } };
    execFile(process.execPath, [main, ...args], options, (error, stdout, stderr) => {
      resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

function shell(line: string): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile('/bin/sh', ['-c', line], { cwd: directory }, (error, stdout, stderr) => {
      resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

describe('run', () => {
  test.each([
    ['results', ['--output', 'gone/results.json'], /gone\/results\.json cannot be written: its folder does not exist/],
    ['results', ['--output', '.'], /is a folder/],
    ['a video', ['--annotate', 'gone/o.mp4'], /gone\/o\.mp4 cannot be written/],
  ])('tells where %s cannot be written: %j', async (_, args, culprit) => {
    const { status, stdout, stderr } = await command(['run', 'whole.mp4', ...STATS, ...args]);
    expect(stderr).toMatch(/^OUTPUT_UNWRITABLE: .*\n$/);
    expect(stderr).toMatch(culprit);
    expect({ status, stdout }).toEqual({ status: 4, stdout: '' });
  });

  test.skipIf(process.platform !== 'linux').each([
    ['the results of a run', 'run whole.mp4 --algorithm stats=frame-stats,interval=1 --output -'],
    [
      'records while it plays',
      'run whole.mp4 --mode realtime --algorithm stats=frame-stats,interval=1 --output - --format ndjson',
    ],
    ['a version', 'version'],
  ])('tells in one line where standard output takes no more: %s', async (_, args) => {
    const line = `'${process.execPath}' '${join(root, 'packages', 'cli', 'src', 'main.ts')}' ${args} > /dev/full`;
    const { status, stderr } = await shell(line);
    const faults = stderr.split('\n').filter((text) => /^[A-Z_]+: /.test(text));
    expect(faults, stderr).toEqual(['OUTPUT_UNWRITABLE: standard output cannot be written: the disk is full']);
    expect(stderr).not.toContain('node:');
    expect(status).toBe(4);
  });

  test('names a port that is in use', async () => {
    const server = await listen();
    const { port } = server.address() as { port: number };
    await writeFile(
      join(directory, 'port.json'),
      JSON.stringify({
        algorithms: [{ name: 'stats', use: 'frame-stats' }],
        streams: [{ id: 'lobby', source: 'whole.mp4' }],
        collector: { apiPort: port },
      }),
    );
    const { status, stderr } = await command(['run', '--config', 'port.json']);
    expect(stderr).toMatch(new RegExp(`^PORT_IN_USE: .*\\b${port}\\b.*\\n$`));
    expect(status).toBe(4);
    await new Promise((resolve) => server.close(resolve));
  });

  test.each([
    ['nats-server is missing', { 'nats-server': undefined }, 'NATS_SERVER_MISSING', 'nats-server'],
    ['nats-server is too old', { 'nats-server': 'nats-server: v2.8.4' }, 'NATS_SERVER_TOO_OLD', '2.8.4'],
    ['ffmpeg is missing', { ffmpeg: undefined, ffprobe: undefined }, 'FFMPEG_MISSING', 'ffmpeg'],
    ['ffmpeg is too old', { ffmpeg: 'ffmpeg version 4.4.1 Copyright' }, 'FFMPEG_TOO_OLD', '4.4.1'],
  ])('tells where %s, and doctor does too', async (name, programs, code, culprit) => {
    const path = await pathWith(join(directory, name.replaceAll(' ', '-')), programs);
    const { status, stdout, stderr } = await command(['run', 'whole.mp4', ...STATS], path);
    expect(stderr).toMatch(new RegExp(`^${code}: .*\\n$`));
    expect(stderr).toContain(culprit);
    expect({ status, stdout }).toEqual({ status: 4, stdout: '' });
    const doctor = await command(['doctor', '--json'], path);
    const { ok, checks } = JSON.parse(doctor.stdout) as {
      ok: boolean;
      checks: { name: string; ok: boolean; advice: string }[];
    };
    const failed = checks.filter((check) => !check.ok);
    expect(failed.map((check) => check.name)).toEqual(expect.arrayContaining(Object.keys(programs)));
    for (const { advice } of failed) expect(advice).not.toBe('');
    expect({ ok, status: doctor.status }).toEqual({ ok: false, status: 4 });
  });

  test('tells where no temporary folder can be made', async () => {
    const path = process.env.TMPDIR;
    process.env.TMPDIR = join(directory, 'gone');
    try {
      const { status, stderr } = await command(['run', 'whole.mp4', ...STATS]);
      expect(stderr).toMatch(/^OUTPUT_UNWRITABLE: no temporary folder can be made in .*gone: set TMPDIR.*\n$/);
      expect(status).toBe(4);
    } finally {
      if (path === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = path;
    }
  });
});

function listen(): Promise<Server> {
  const server = createServer();
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

/** A PATH with every program of the real one, but for some that are missing or say what they are told to. */
async function pathWith(folder: string, programs: Readonly<Record<string, string | undefined>>): Promise<string> {
  await mkdir(folder);
  for (const from of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'])
    for (const name of await readdir(from).catch(() => []))
      if (!Object.hasOwn(programs, name)) await symlink(join(from, name), join(folder, name)).catch(() => undefined);
  for (const [name, says] of Object.entries(programs)) {
    if (says === undefined) continue;
    await writeFile(join(folder, name), `#!/bin/sh\necho '${says}'\n`);
    await chmod(join(folder, name), 0o755);
  }
  return folder;
}
