/**
 * Runs a command and measures its whole process tree: wall clock, CPU of all that was waited for, and, where it is asked for, the
 * sum of PSS (each shared page counted once) sampled at 10 Hz, which itself takes a tenth of a core.
 */

import { spawn } from 'node:child_process';
import { descendants } from '../test/harness/process-tree.ts';
import { pssKiB } from '../test/harness/process-usage.ts';

export type Measured = {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  /** NaN where memory was not sampled. */
  readonly peakPssMiB: number;
  readonly stdout: string;
};

/** Rejects, with what was said on standard error, where the command does not end with 0. */
export async function measure(
  command: string,
  args: readonly string[],
  cwd: string,
  { samplesMemory = true } = {},
): Promise<Measured> {
  // bash reports user and system time of every descendant that its parents waited for.
  const script = 'TIMEFORMAT="@@ %R %U %S"; time "$@"';
  const child = spawn('bash', ['-c', script, 'bash', command, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const status = new Promise<number | null>((resolve) => child.once('close', resolve));
  let running = samplesMemory;
  let peakPssKiB = samplesMemory ? 0 : Number.NaN;
  const sampling = (async () => {
    while (running) {
      const began = performance.now();
      peakPssKiB = Math.max(peakPssKiB, await treePssKiB(child.pid ?? 0));
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, 100 - (performance.now() - began))));
    }
  })();
  const ended = await status;
  running = false;
  await sampling;
  const times = /@@ ([\d.]+) ([\d.]+) ([\d.]+)/.exec(stderr);
  if (ended !== 0 || !times) throw new Error(`${command} ${args.join(' ')} ended with ${ended}: ${stderr}`);
  const [wall = 0, user = 0, system = 0] = times.slice(1).map(Number);
  return { wallSeconds: wall, cpuSeconds: user + system, peakPssMiB: peakPssKiB / 1024, stdout };
}

async function treePssKiB(root: number): Promise<number> {
  const sizes = await Promise.all((await descendants(root)).map(({ pid }) => pssKiB(pid)));
  return sizes.reduce((sum, size) => sum + size, 0);
}
