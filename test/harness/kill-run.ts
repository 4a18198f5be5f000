/**
 * A run of the command under which parts of its system are killed (SIGKILL) while an invocation is in flight: what came of it, to be compared
 * with a run that nobody disturbed.
 */

import type { ChildProcess } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { canonicalJson } from '@stream-infer/core/canonical-json';
import type { AlgorithmTotals, ResultRecord } from '@stream-infer/core/result-record';
import { streamInfer } from './command.ts';
import { eventually } from './eventually.ts';
import { descendants, stillRunning } from './process-tree.ts';
import { metricsOf } from './process-usage.ts';
import { type Role, roleOf } from './system-role.ts';

/** Who is killed, and how long after the last kill, or after the source plays. */
export type Kill = { readonly role: Role; readonly afterMs: number };

/** A process that was killed, and was then seen gone. */
export type Hit = {
  readonly role: Role;
  /** What the scheduler had in flight by its own metrics, read right before. */
  readonly inFlight: number;
};

export type KillRun = {
  /** The results' file, byte for byte. */
  readonly results: string;
  /** Every row of the store. */
  readonly records: readonly ResultRecord[];
  readonly hits: readonly Hit[];
  readonly summary: Summary;
  readonly stderr: string;
};

export type Summary = {
  readonly streams: Readonly<
    Record<
      string,
      {
        readonly decoded: number;
        readonly played: number;
        readonly published: number;
        readonly elapsedMs: number;
        readonly algorithms: Readonly<Record<string, AlgorithmTotals>>;
      }
    >
  >;
};

/** A configuration, but for where its results are stored. */
export type Job = { readonly algorithms: readonly object[]; readonly streams: readonly object[] };

export type KillRunOptions = {
  readonly directory: string;
  readonly name: string;
  /** What is run. */
  readonly job: Job;
  readonly kills: readonly Kill[];
};

const RUN_LIMIT_MS = 300_000;
const POLL_MS = 5;

export async function killRun({ directory, name, job, kills }: KillRunOptions): Promise<KillRun> {
  const [output, store, config] = ['json', 'sqlite', 'yaml'].map((ending) => join(directory, `${name}.${ending}`)) as [
    string,
    string,
    string,
  ];
  // JSON is YAML.
  await writeFile(config, JSON.stringify({ ...job, collector: { storePath: store } }));
  const hits: Hit[] = [];
  let killing: Promise<void> = Promise.resolve();
  const { status, stdout, stderr } = await streamInfer(['run', '--config', config, '--output', output, '--json'], {
    timeoutMs: RUN_LIMIT_MS,
    onStart: (child) => {
      killing = killAll(child, kills, hits);
      // Awaited below.
      killing.catch(() => undefined);
    },
  });
  await killing;
  if (status !== 0) throw new Error(`${name}: status ${status}\n${stderr}`);
  const results = await readFile(output, 'utf8');
  const records = storedRecords(store);
  return { results, records, hits, summary: JSON.parse(stdout) as Summary, stderr };
}

async function killAll(child: ChildProcess, kills: readonly Kill[], hits: Hit[]): Promise<void> {
  if (kills.length === 0) return;
  await whileRunning(child, () => find(child, 'ffmpeg'));
  for (const { role, afterMs } of kills) {
    await sleep(afterMs);
    const hit = await whileRunning(child, async () => {
      const [victim, scheduler] = await Promise.all([find(child, role), find(child, 'scheduler')]);
      const inFlight = victim && scheduler ? await inFlightAt(scheduler.pid) : 0;
      if (victim === undefined || inFlight === 0) return undefined;
      process.kill(victim.pid, 'SIGKILL');
      await eventually(`${role} is gone`, async () => (await stillRunning([victim])).length === 0);
      return { role, inFlight };
    });
    if (hit) hits.push(hit);
  }
}

/** What the attempt comes to; undefined where the command was over before. */
async function whileRunning<T>(child: ChildProcess, attempt: () => Promise<T | undefined>): Promise<T | undefined> {
  while (child.exitCode === null && child.signalCode === null) {
    const value = await attempt();
    if (value !== undefined) return value;
    await sleep(POLL_MS);
  }
  return undefined;
}

async function find(child: ChildProcess, role: Role) {
  for (const one of await descendants(child.pid ?? 0)) if ((await roleOf(one.pid)) === role) return one;
  return undefined;
}

/** 0 where the scheduler does not answer. */
async function inFlightAt(scheduler: number): Promise<number> {
  const metrics = (await metricsOf(scheduler)) ?? '';
  const counts = [...metrics.matchAll(/^stream_infer_invocations_in_flight\{.*\} (\d+)$/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

function storedRecords(store: string): readonly ResultRecord[] {
  const database = new DatabaseSync(store, { readOnly: true });
  const rows = database.prepare('SELECT record FROM results ORDER BY position').all();
  database.close();
  return rows.map(({ record }) => JSON.parse(String(record)) as ResultRecord);
}

/**
 * What a disturbed run has otherwise than the undisturbed: results, byte for byte; the ledger, frames and invocations, every one of them
 * completed; the store's rows, one for each invocation, in one run. Empty where it has nothing.
 */
export function differences(disturbed: KillRun, undisturbed: KillRun): readonly string[] {
  const found: string[] = [];
  if (disturbed.results !== undisturbed.results) found.push('other results');
  for (const [id, expected] of Object.entries(undisturbed.summary.streams)) {
    const [told, wanted] = [disturbed.summary.streams[id], expected].map(ledgerText);
    if (told !== wanted) found.push(`the ledger of ${id} is ${told} and not ${wanted}`);
    for (const [algorithm, { triggered, completed }] of Object.entries(expected.algorithms))
      if (triggered === 0 || completed !== triggered) found.push(`${id}/${algorithm} was not whole undisturbed`);
  }
  const rows = disturbed.records.map(({ stream, run, algorithm, n }) => `${stream}/${run}/${algorithm}/${n}`);
  if (new Set(rows).size !== rows.length) found.push(`${rows.length - new Set(rows).size} duplicate rows`);
  const due = Object.values(disturbed.summary.streams).flatMap(({ algorithms }) => Object.values(algorithms));
  const completed = due.reduce((sum, one) => sum + one.completed, 0);
  if (rows.length !== completed) found.push(`${rows.length} rows of ${completed} completed invocations`);
  const runs = new Set(disturbed.records.map(({ stream, run }) => `${stream}/${run}`));
  if (runs.size !== Object.keys(disturbed.summary.streams).length) found.push(`rows of the runs ${[...runs]}`);
  return found;
}

const ledgerText = (stream: Summary['streams'][string] | undefined): string | undefined => {
  if (stream === undefined) return undefined;
  const { decoded, played, published, algorithms } = stream;
  return canonicalJson({ decoded, played, published, algorithms });
};
