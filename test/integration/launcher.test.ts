/** The launcher at the root of the checkout, over a checkout of its own whose command tells how it was called. */

import { execFile, spawn } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** Prints how it was called, or what ended it. */
const COMMAND = `
if (process.argv[2] === 'wait') {
  process.on('SIGTERM', () => process.exit(7));
  setTimeout(() => process.exit(1), 10_000);
}
if (process.argv[2] === 'fail') process.exitCode = 3;
console.log(JSON.stringify({ pid: process.pid, cwd: process.cwd(), args: process.argv.slice(2) }));
`;

type Outcome = { readonly status: number | string | undefined; readonly stdout: string; readonly stderr: string };

function run(file: string, args: readonly string[], cwd?: string): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(file, args, cwd === undefined ? {} : { cwd }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : (error.code ?? undefined), stdout, stderr });
    });
  });
}

describe('launcher', () => {
  let checkout: string;
  beforeEach(async () => {
    checkout = await realpath(await mkdtemp(join(tmpdir(), 'stream-infer launcher-')));
    const main = join(checkout, 'packages/cli/src/main.ts');
    for (const folder of [
      dirname(main),
      ...['node_modules/.pnpm', 'proto/gen/stream_infer', '.tools/bin', 'elsewhere'],
    ]) {
      await mkdir(join(folder.startsWith('/') ? folder : join(checkout, folder)), { recursive: true });
    }
    await copyFile(join(root, 'stream-infer'), join(checkout, 'stream-infer'));
    await chmod(join(checkout, 'stream-infer'), 0o755);
    await writeFile(main, COMMAND);
    await symlink(process.execPath, join(checkout, '.tools/bin/node'));
  });
  afterEach(() => rm(checkout, { recursive: true, force: true }));

  it('hands the arguments on as they are, keeps the folder it was called from, and says nothing itself', async () => {
    const cwd = join(checkout, 'elsewhere');
    const { status, stdout, stderr } = await run('../stream-infer', ['run', 'a b.mp4', '', '--fps=1'], cwd);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ cwd, args: ['run', 'a b.mp4', '', '--fps=1'] });
  });

  it('refuses a Node.js that is too old by NODE_TOO_OLD, with the version that it found', async () => {
    await rm(join(checkout, '.tools/bin/node'));
    const folder = join(checkout, 'elsewhere');
    await writeFile(join(folder, 'node'), '#!/bin/sh\necho v22.9.0\n', { mode: 0o755 });
    const script = `PATH=${JSON.stringify(folder)}:/usr/bin:/bin exec ${JSON.stringify(join(checkout, 'stream-infer'))} version`;
    const { status, stdout, stderr } = await run('/bin/sh', ['-c', script]);
    expect({ status, stdout }).toEqual({ status: 4, stdout: '' });
    expect(stderr).toMatch(/^NODE_TOO_OLD: Node\.js 24 or newer is needed \(on the PATH: v22\.9\.0\); run: make /);
  });

  it('works through links to links', async () => {
    await symlink('../stream-infer', join(checkout, 'elsewhere/first'));
    await symlink(join(checkout, 'elsewhere/first'), join(checkout, 'second'));
    const { stdout, stderr } = await run(join(checkout, 'second'), ['version']);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ args: ['version'] });
  });

  it("passes on the command's exit status", async () => {
    expect((await run(join(checkout, 'stream-infer'), ['fail'])).status).toBe(3);
  });

  it('becomes the command, so that a signal reaches it', async () => {
    const child = spawn(join(checkout, 'stream-infer'), ['wait'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const printed = text(child.stdout);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill('SIGTERM');
    expect(await ended).toBe(7);
    expect(JSON.parse(await printed)).toMatchObject({ pid: child.pid });
  });

  it('names the command that sets up a checkout that is not', async () => {
    await rm(join(checkout, 'node_modules'), { recursive: true });
    const { status, stdout, stderr } = await run(join(checkout, 'stream-infer'), ['version']);
    expect({ status, stdout }).toEqual({ status: 4, stdout: '' });
    expect(stderr).toBe(`stream-infer: this checkout is not set up; run: make -C '${checkout}' setup\n`);
  });
});
