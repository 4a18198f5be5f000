/** The processes below one, from /proc: to show that none of them is left. Linux only. */

import { readdir, readFile } from 'node:fs/promises';

/** A process for ever: its number may be given to another, but not with the same start time. */
export type ProcessIdentity = { readonly pid: number; readonly startTicks: string; readonly command: string };

type ProcessStat = ProcessIdentity & { readonly parent: number; readonly state: string };

async function readStat(pid: number): Promise<ProcessStat | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The command stands in parentheses and may hold anything.
  const match = text === undefined ? null : /^\d+ \((.*)\) (\S) (\d+) (.*)$/s.exec(text);
  if (!match) return undefined;
  const [, command = '', state = '', parent = '', rest = ''] = match;
  return { pid, command, state, parent: Number(parent), startTicks: rest.split(' ')[17] ?? '' };
}

/** Every process below this one, itself not among them. */
export async function descendants(root: number): Promise<readonly ProcessIdentity[]> {
  const pids = (await readdir('/proc')).map(Number).filter(Number.isInteger);
  const stats = (await Promise.all(pids.map(readStat))).filter((stat) => stat !== undefined);
  const below = (parent: number): ProcessStat[] =>
    stats.filter((stat) => stat.parent === parent).flatMap((stat) => [stat, ...below(stat.pid)]);
  return below(root);
}

/** Those of them that still run; a zombie, which waits for its parent to ask, does not. */
export async function stillRunning(processes: readonly ProcessIdentity[]): Promise<readonly ProcessIdentity[]> {
  const now = await Promise.all(processes.map(({ pid }) => readStat(pid)));
  return processes.filter(({ startTicks }, index) => {
    const stat = now[index];
    return stat !== undefined && stat.startTicks === startTicks && stat.state !== 'Z';
  });
}

/** The process of a service, or of nats-server, among them. Services are all `node`: which one it is, its arguments tell. */
export async function findProcess(tree: readonly ProcessIdentity[], name: string): Promise<number> {
  for (const { pid } of tree) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (name === 'nats-server' ? line.includes('nats-server\0') : line.includes(`services/${name}/`)) return pid;
  }
  throw new Error(`no ${name} among ${tree.length} processes`);
}
