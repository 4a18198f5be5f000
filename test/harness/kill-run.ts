/**
 * A run of the command under which parts of its system are killed (SIGKILL) while it works: what came of it, to be compared with a run
 * that nobody disturbed.
 */

import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { streamInfer } from './command.ts';
import { eventually } from './eventually.ts';
import { descendants, type ProcessIdentity, stillRunning } from './process-tree.ts';

export type Role = 'ingest' | 'ffmpeg' | 'scheduler' | 'algo-runner' | 'collector' | 'nats-server';

/** What a command line has that no other role's has. */
const COMMAND_LINES: Readonly<Record<Role, RegExp>> = {
  ingest: /node\0.*services\/ingest\/src\/main/,
  // Not the one that tells its version.
  ffmpeg: /^ffmpeg\0-nostdin\0/,
  scheduler: /node\0.*services\/scheduler\/src\/main/,
  'algo-runner': /node\0.*services\/algo-runner\/src\/main/,
  collector: /node\0.*services\/collector\/src\/main/,
  'nats-server': /nats-server\0-c\0/,
};

export const ROLES = Object.keys(COMMAND_LINES) as Role[];

/** Who is killed, and how long after the last kill, or after the source plays. */
export type Kill = { readonly role: Role; readonly afterMs: number };

export type KillRun = {
  /** The results' file, byte for byte. */
  readonly results: string;
  /** Kills that hit a process, which was then seen gone. */
  readonly hits: readonly Role[];
  readonly summary: Summary;
  readonly stderr: string;
};

type Totals = {
  readonly triggered: number;
  readonly completed: number;
  readonly failed: number;
  readonly dropped: Readonly<Record<string, number>>;
};
export type Summary = {
  readonly streams: Readonly<
    Record<
      string,
      { readonly decoded: number; readonly played: number; readonly algorithms: Readonly<Record<string, Totals>> }
    >
  >;
};

export type KillRunOptions = {
  readonly directory: string;
  readonly name: string;
  /** Of `run`, without its outputs. */
  readonly args: readonly string[];
  readonly kills: readonly Kill[];
};

const RUN_LIMIT_MS = 300_000;

export async function killRun({ directory, name, args, kills }: KillRunOptions): Promise<KillRun> {
  const output = join(directory, `${name}.json`);
  const hits: Role[] = [];
  let killing: Promise<void> = Promise.resolve();
  const { status, stdout, stderr } = await streamInfer(['run', ...args, '--output', output, '--json'], {
    timeoutMs: RUN_LIMIT_MS,
    onStart: (child) => {
      killing = killAll(child, kills, hits);
      // Rejects where the run is over before.
      killing.catch(() => undefined);
    },
  });
  await killing;
  if (status !== 0) throw new Error(`${name}: status ${status}\n${stderr}`);
  return { results: await readFile(output, 'utf8'), hits, summary: JSON.parse(stdout) as Summary, stderr };
}

async function killAll(child: ChildProcess, kills: readonly Kill[], hits: Role[]): Promise<void> {
  if (kills.length === 0) return;
  await find(child, 'ffmpeg');
  for (const { role, afterMs } of kills) {
    await sleep(afterMs);
    if (child.exitCode !== null) return;
    const victim = await find(child, role);
    process.kill(victim.pid, 'SIGKILL');
    await eventually(`${role} is gone`, async () => (await stillRunning([victim])).length === 0);
    hits.push(role);
  }
}

const find = (child: ChildProcess, role: Role): Promise<ProcessIdentity> =>
  eventually(`a process that is the ${role}`, async () => {
    for (const one of await descendants(child.pid ?? 0)) {
      const line = await readFile(`/proc/${one.pid}/cmdline`, 'utf8').catch(() => '');
      if (COMMAND_LINES[role].test(line) && !line.startsWith('setpriv')) return one;
    }
    return undefined;
  });

/** Whether every window that was due is completed, and nothing failed or was dropped. */
export const isWhole = ({ streams }: Summary): boolean =>
  Object.values(streams).every(({ algorithms }) =>
    Object.values(algorithms).every(
      ({ triggered, completed, dropped }) => completed === triggered && Object.keys(dropped).length === 0,
    ),
  );
