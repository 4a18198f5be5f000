/** `stream-infer doctor`: looks at everything on this machine that a run needs, and says what to do about what is missing. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { availableParallelism, freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { toFault } from '@stream-infer/core/fault';
import { findExecutable, isAtLeast, programVersion, type Version } from '../system/executable.ts';
import { machineMemoryBytes, NATS_SERVER_AT_LEAST } from '../system/nats-server.ts';
import { formatTable } from '../terminal/table.ts';

export type Check = {
  readonly name: string;
  readonly ok: boolean;
  /** What was found. */
  readonly found: string;
  /** What to do; empty where it is ok. */
  readonly advice: string;
};

const FFMPEG_AT_LEAST: Version = [5, 1];
const NODE_AT_LEAST: Version = [24, 0];
const ENOUGH_MEMORY_BYTES = 512 * 2 ** 20;
const ENOUGH_DISK_BYTES = 256 * 2 ** 20;

/** Exit status 0 where all is well, else 4. */
export async function doctorCommand({ json }: { readonly json: boolean }): Promise<number> {
  const checks = await Promise.all([
    checkNode(),
    checkProgram('ffmpeg', '-version', FFMPEG_AT_LEAST, 'install ffmpeg 5.1 to 8: apt-get install ffmpeg'),
    checkProgram('ffprobe', '-version', FFMPEG_AT_LEAST, 'it comes with ffmpeg: apt-get install ffmpeg'),
    checkEncoder(),
    checkProgram('nats-server', '--version', NATS_SERVER_AT_LEAST, 'install 2.9 or newer: apt-get install nats-server'),
    checkSetpriv(),
    checkRuntime(),
    checkMemory(),
    checkTemporaryFolder(),
  ]);
  const ok = checks.every((check) => check.ok);
  process.stdout.write(json ? `${JSON.stringify({ ok, checks }, null, 2)}\n` : `${formatChecks(checks)}\n`);
  return ok ? 0 : 4;
}

/** A line each: ok or FAIL, what, what was found, what to do. */
export const formatChecks = (checks: readonly Check[]): string =>
  formatTable(
    ['', 'needed', 'found', ''],
    checks.map(({ ok, name, found, advice }) => [ok ? 'ok' : 'FAIL', name, found, advice]),
  )
    .split('\n')
    .slice(1)
    .join('\n');

const judged = (name: string, ok: boolean, found: string, advice: string): Check => ({
  name,
  ok,
  found,
  advice: ok ? '' : advice,
});

async function checkProgram(name: string, flag: string, least: Version, advice: string): Promise<Check> {
  const file = await findExecutable(name);
  if (file === undefined) return judged(name, false, 'not on the PATH', advice);
  const version = await programVersion(file, flag);
  return judged(
    name,
    version !== undefined && isAtLeast(version, least),
    `${version ?? 'no version'} (${file})`,
    advice,
  );
}

async function checkNode(): Promise<Check> {
  const { node } = process.versions;
  return judged(
    'node',
    isAtLeast(node, NODE_AT_LEAST),
    `${node} (${process.execPath})`,
    'run make setup, or install Node.js 24 or newer',
  );
}

const run = promisify(execFile);

async function checkEncoder(): Promise<Check> {
  const encoders = await run('ffmpeg', ['-hide_banner', '-encoders']).then(
    ({ stdout }) => stdout,
    () => '',
  );
  const found = /\blibx264\b/.test(encoders);
  return judged(
    'libx264',
    found,
    found ? 'an encoder of ffmpeg' : 'not in this ffmpeg',
    'install an ffmpeg that has it; only --annotate needs it',
  );
}

/** Without it children outlive a killed command by a moment. */
async function checkSetpriv(): Promise<Check> {
  if (process.platform !== 'linux') return judged('setpriv', true, 'not needed here', '');
  const file = await findExecutable('setpriv');
  return judged('setpriv', file !== undefined, file ?? 'not on the PATH', 'apt-get install util-linux');
}

async function checkRuntime(): Promise<Check> {
  const name = 'ONNX Runtime';
  try {
    await import('@stream-infer/algorithms/describe-model');
    return judged(name, true, 'loads', '');
  } catch (error) {
    return judged(name, false, toFault(error).message, 'run make setup; it is built for glibc, not musl');
  }
}

async function checkMemory(): Promise<Check> {
  const free = Math.min(freemem(), machineMemoryBytes());
  const found = `${mebibytes(free)} free of ${mebibytes(machineMemoryBytes())}, ${availableParallelism()} cores`;
  return judged('memory', free >= ENOUGH_MEMORY_BYTES, found, 'end what else runs: frames wait in memory');
}

async function checkTemporaryFolder(): Promise<Check> {
  const folder = tmpdir();
  try {
    await rm(await mkdtemp(join(folder, 'stream-infer-')), { recursive: true });
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    return judged(
      'temporary files',
      free >= ENOUGH_DISK_BYTES,
      `${folder}, ${mebibytes(free)} free`,
      'make room, or set TMPDIR to a folder that has more',
    );
  } catch (error) {
    return judged(
      'temporary files',
      false,
      `${folder}: ${toFault(error).message}`,
      'set TMPDIR to a folder that can be written',
    );
  }
}

const mebibytes = (bytes: number): string => `${Math.floor(bytes / 2 ** 20)} MiB`;
