/** A run leaves nothing behind, however it ends: no process, no temporary folder, and with the processes no port (EX-12). */

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type CommandResult, streamInfer } from '../harness/command.ts';
import { eventually } from '../harness/eventually.ts';
import { descendants, findProcess, type ProcessIdentity, stillRunning } from '../harness/process-tree.ts';

const video = join(import.meta.dirname, '..', 'conformance', 'videos', 'counter30.mp4');
/** nats-server, four services, the janitor, and an ffmpeg. */
const WHOLE_SYSTEM = 7;

let directory: string;
let temporary: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-cleanup-'));
  await writeFile(
    join(directory, 'slow.mjs'),
    'export default class { async run() { await new Promise((r) => setTimeout(r, 2000)); return 1; } }\n',
  );
  await writeFile(
    join(directory, 'diary.mjs'),
    `import { appendFileSync } from 'node:fs';
export default class {
  async run([{ n }], { options }) {
    appendFileSync(options.diary, 'x');
    await new Promise((resolve) => setTimeout(resolve, options.takesMs ?? 0));
    return n;
  }
}
`,
  );
});
afterAll(() => rm(directory, { recursive: true, force: true }));

beforeEach(async () => {
  temporary = await mkdtemp(join(directory, 'tmp-'));
});

type Running = {
  readonly child: ChildProcess;
  readonly result: Promise<CommandResult>;
  readonly tree: readonly ProcessIdentity[];
};

/** A run in the middle of playing a file, in realtime unless said: every process that it ever has is there. */
async function playing(...more: string[]): Promise<Running> {
  const started = Promise.withResolvers<ChildProcess>();
  const result = streamInfer(['run', video, ...(more.includes('--mode') ? [] : ['--mode', 'realtime']), ...more], {
    environment: { TMPDIR: temporary },
    onStart: started.resolve,
  });
  const child = await started.promise;
  const tree = await eventually('the whole system runs', async () => {
    const processes = await descendants(child.pid ?? 0);
    return processes.length >= WHOLE_SYSTEM && processes.some(({ command }) => command === 'ffmpeg') && processes;
  });
  return { child, result, tree };
}

async function nothingIsLeft(tree: readonly ProcessIdentity[]): Promise<void> {
  await eventually('no process is left', async () => (await stillRunning(tree)).length === 0, 10_000);
  await eventually('no temporary folder is left', async () => (await readdir(temporary)).length === 0, 10_000);
}

/** A machine with much else to do is late now and then. */
const faultsIn = (stderr: string): string[] =>
  stderr.split('\n').filter((line) => line !== '' && !line.includes('results are late'));

const lines = async (file: string): Promise<readonly string[]> =>
  (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');

const STATS = ['--algorithm', 'stats=frame-stats,interval=0.2'];

describe.skipIf(process.platform !== 'linux')('nothing is left behind', () => {
  test('after success', async () => {
    const { result, tree } = await playing(...STATS, '--position', '7', '--output', join(directory, 'done.json'));
    const { status, stderr } = await result;
    expect({ status, faults: faultsIn(stderr) }).toEqual({ status: 0, faults: [] });
    expect(await stillRunning(tree)).toEqual([]);
    expect(await readdir(temporary)).toEqual([]);
  });

  test('after an error while starting', async () => {
    await mkdir(join(directory, 'empty'), { recursive: true });
    const { status } = await streamInfer(['run', video, '--algorithm', './gone.mjs'], {
      cwd: join(directory, 'empty'),
      environment: { TMPDIR: temporary },
    });
    expect(status).toBe(2);
    expect(await readdir(temporary)).toEqual([]);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('after %s, and what was computed is written', async (signal, status) => {
    const output = join(directory, `${signal}.json`);
    const diary = join(directory, `${signal}.diary`);
    const algorithm = `diary=${join(directory, 'diary.mjs')},interval=0.1,diary=${diary}`;
    const { child, result, tree } = await playing('--algorithm', algorithm, '--output', output);
    await eventually('five frames have been looked at', async () => (await readFile(diary, 'utf8')).length >= 5);
    child.kill(signal);
    const { status: exitStatus, stderr } = await result;
    expect({ exitStatus, faults: faultsIn(stderr) }).toEqual({ exitStatus: status, faults: [] });
    expect(await stillRunning(tree)).toEqual([]);
    expect(await readdir(temporary)).toEqual([]);
    const results = JSON.parse(await readFile(output, 'utf8')) as Results;
    expect(Object.keys(results.counter30?.diary ?? {}).length).toBeGreaterThanOrEqual(4);
  });

  test('after Ctrl-C offline: what is under way is finished, the sequence has no hole and nothing has become an error', async () => {
    const output = join(directory, 'offline.ndjson');
    const diary = join(directory, 'offline.diary');
    const { child, result, tree } = await playing(
      ...['--mode', 'offline', '--output', output],
      ...['--algorithm', `diary=${join(directory, 'diary.mjs')},diary=${diary},takesMs=100`],
    );
    await eventually('five frames have been looked at', async () => (await readFile(diary, 'utf8')).length >= 5);
    child.kill('SIGINT');
    expect(await result).toMatchObject({ status: 130, stderr: '' });
    expect(await stillRunning(tree)).toEqual([]);
    const lines = (await readFile(output, 'utf8')).trim().split('\n');
    const records = lines.map((line) => JSON.parse(line) as { n: number; data: number });
    expect(records.length).toBeGreaterThanOrEqual(5);
    expect(records.length).toBeLessThan(300);
    for (const [index, { n, data }] of records.entries()) expect([n, data]).toEqual([index + 1, index + 1]);
  });

  test('after Ctrl-C while it starts, which says that nothing was played and what is not written', async () => {
    const output = join(directory, 'early.json');
    const started = Promise.withResolvers<ChildProcess>();
    const result = streamInfer(['run', video, ...STATS, '--output', output], {
      environment: { TMPDIR: temporary },
      onStart: started.resolve,
    });
    const child = await started.promise;
    await eventually('it has begun to start', async () => (await readdir(temporary)).length > 0);
    child.kill('SIGINT');
    const { status, stdout, stderr } = await result;
    expect({ status, stdout, lines: stderr.split('\n') }).toEqual({
      ...{ status: 130, stdout: '' },
      lines: ['interrupted before anything was played', `results: not written, interrupted: ${output}`, ''],
    });
    expect(await readdir(temporary)).toEqual([]);
  });

  test('after a second Ctrl-C, which does not wait for anything', async () => {
    const { child, result, tree } = await playing('--algorithm', `slow=${join(directory, 'slow.mjs')},interval=0.1`);
    // Signals that come together are one: until it has heeded the first, another may be none.
    const insisting = setInterval(() => child.kill('SIGINT'), 20);
    const { status, stderr } = await result.finally(() => clearInterval(insisting));
    expect(status).toBe(130);
    expect(stderr).toMatch(/^interrupted again: results are not written$/m);
    await nothingIsLeft(tree);
  });

  test('after its own kill -9', async () => {
    const { child, result, tree } = await playing(...STATS);
    child.kill('SIGKILL');
    expect((await result).status).toBeNull();
    await nothingIsLeft(tree);
  });

  test('after its own kill -9, and the records that had come are in the file', async () => {
    const output = join(directory, 'live.ndjson');
    const { child, result, tree } = await playing(...STATS, '--output', output);
    await eventually('three records are there while it plays', async () => (await lines(output)).length >= 3);
    expect(child.exitCode).toBeNull();
    child.kill('SIGKILL');
    await result;
    const records = (await lines(output)).map((line) => JSON.parse(line) as { key: string });
    expect(records.slice(0, 3).map(({ key }) => key)).toEqual(['0.2', '0.4', '0.6']);
    await nothingIsLeft(tree);
  });

  test('after the reader of its records has gone', async () => {
    const { child, result, tree } = await playing(...STATS, '--output', '-', '--format', 'ndjson');
    await eventually('a record is there while it plays', () => once(child.stdout as Readable, 'data'));
    child.stdout?.destroy();
    const { status, stdout } = await result;
    expect(JSON.parse(stdout.split('\n')[0] ?? '')).toMatchObject({ algorithm: 'stats', key: '0.2' });
    expect(status).toBe(141);
    expect(await stillRunning(tree)).toEqual([]);
  });

  test('though a service was killed and started again meanwhile, which is told', async () => {
    const diary = join(directory, 'scheduler.diary');
    const algorithm = `diary=${join(directory, 'diary.mjs')},interval=0.1,diary=${diary}`;
    const { result, tree } = await playing('--algorithm', algorithm, '--output', join(directory, 'killed.json'));
    await eventually('five frames have been looked at', async () => (await readFile(diary, 'utf8')).length >= 5);
    process.kill(await findProcess(tree, 'scheduler'), 'SIGKILL');
    const { status, stderr } = await result;
    expect(stderr).toMatch(/^SERVICE_DIED: scheduler ended by SIGKILL: it is started again$/m);
    expect(status).toBe(0);
    await nothingIsLeft(tree);
  });
});

type Results = { readonly counter30?: { readonly diary: object } };
