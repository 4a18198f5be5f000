/** The table of bench/RESULTS.md: each figure beside its limit, measured in the same run. */

import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';

export type Row = { readonly what: string; readonly figure: string; readonly limit: string; readonly held: boolean };

const firstLine = (command: string, ...args: string[]): string =>
  (spawnSync(command, args, { encoding: 'utf8' }).stdout ?? '').split('\n')[0] ?? '';

/** What it was measured on and with. */
export const machineLine = (): string =>
  `Machine: ${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB; Node ${process.version}; ${firstLine('ffmpeg', '-version').split(' Copyright')[0]}; ${firstLine('nats-server', '--version')}.`;

/** The file system that a folder is on, and how it is mounted: of Linux alone. */
export function fileSystemLine(folder: string): string {
  const facts = firstLine('findmnt', '--noheadings', '--target', realpathSync(folder), '--output', 'FSTYPE,OPTIONS');
  const [kind, options] = facts.trim().split(/\s+/);
  return kind === undefined || kind === '' ? '' : `Files: ${kind}, mounted ${options}.`;
}

export function resultsDocument(rows: readonly Row[], skipped: readonly string[]): string {
  const table = rows.map(
    ({ what, figure, limit, held }) => `| ${what} | ${figure} | ${limit} | ${held ? 'yes' : 'NO'} |`,
  );
  return `# What it costs

Written by \`make bench\`. Wall clock, CPU and memory are of the whole process tree: the command, nats-server, the four services and ffmpeg.
Memory is PSS, summed at 10 Hz. What is not measured: networks between hosts, GPUs, many cameras.

${machineLine()}

| what | figure | limit | held |
|---|---|---|---|
${table.join('\n')}
${skipped.map((line) => `\nNot measured: ${line}\n`).join('')}`;
}
