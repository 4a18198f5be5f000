/**
 * Samples of a system that runs: each process below one, and what JetStream has. Before a sample the processes of Node, which are to
 * have loaded ./collect-garbage.mjs, collect their garbage: else what V8 has yet to collect looks like a leak for half an hour.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, connectBus, reachedBy } from '@stream-infer/bus/bus';
import { readSettings } from '@stream-infer/service-kit/settings';
import { descendants, type ProcessIdentity } from '../test/harness/process-tree.ts';
import { metricsOf, openDescriptors, pssKiB } from '../test/harness/process-usage.ts';
import { roleOf } from '../test/harness/system-role.ts';
import { sum } from './trend.ts';
import type { ProcessSample, Sample } from './usage-report.ts';

export type SystemSampler = { sample(): Promise<Sample>; close(): Promise<void> };

/** What a sampled process of Node is started with. */
export const SAMPLED_NODE_OPTIONS = `--import=${join(import.meta.dirname, 'collect-garbage.mjs')}`;
/** A collection takes some tens of milliseconds; freed pages go back soon after. */
const COLLECTION_MS = 1_000;
const BETWEEN_MS = 300;

/** @param root the command's process, which is sampled too. */
export async function systemSampler(root: number): Promise<SystemSampler> {
  const settings = readSettings('collector', undefined, await environmentOf(await collectorPid(root)));
  const bus = await connectBus({ ...reachedBy(settings), name: 'soak', client: 'collector' });
  return {
    async sample() {
      const [streams, below] = await Promise.all([busStreams(bus), descendants(root)]);
      const command: ProcessIdentity = { pid: root, startTicks: '', command: 'stream-infer' };
      await collectAllGarbage([command, ...below]);
      return {
        atMs: performance.now(),
        processes: await Promise.all([command, ...below].map(processSample)),
        streams: streams.length,
        unaccounted: await unaccountedOf(below),
        consumers: sum(streams.map(({ state }) => state.consumer_count)),
      };
    },
    close: () => bus.close(),
  };
}

/** One after the other: all at once would hold the whole system up, and its results. Resolves when it should be done. */
export async function collectAllGarbage(processes: readonly Pick<ProcessIdentity, 'pid'>[]): Promise<void> {
  for (const process of processes) if (await collectGarbage(process)) await sleep(BETWEEN_MS);
  await sleep(COLLECTION_MS);
}

/** Whether it collects: a process that was started with SAMPLED_NODE_OPTIONS does. */
async function collectGarbage({ pid }: Pick<ProcessIdentity, 'pid'>): Promise<boolean> {
  const options = (await environmentOf(pid).catch(() => undefined))?.NODE_OPTIONS;
  const [program] = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
  const does = options?.includes(SAMPLED_NODE_OPTIONS) === true && program?.endsWith('node') === true;
  if (does) process.kill(pid, 'SIGUSR2');
  return does;
}

async function busStreams(bus: Bus) {
  const pages = bus.manager.streams.list();
  const streams = await pages.next();
  for (let page = streams; page.length > 0; ) {
    page = await pages.next();
    streams.push(...page);
  }
  return streams;
}

/** What every ledger below says. */
async function unaccountedOf(processes: readonly ProcessIdentity[]): Promise<number> {
  const counts = processes.map(async ({ pid }) => {
    const role = await roleOf(pid);
    if (role !== 'ingest' && role !== 'scheduler') return 0;
    const metrics = (await metricsOf(pid)) ?? '';
    const values = [...metrics.matchAll(/^stream_infer_unaccounted_\w+\{.*\} (\S+)$/gm)].map(([, value]) =>
      Number(value),
    );
    if (values.length === 0) throw new Error(`the ${role} tells nothing of its ledger`);
    return sum(values.map(Math.abs));
  });
  return sum(await Promise.all(counts));
}

/** Of all clients of the bus it is the collector that may list its streams. */
async function collectorPid(root: number): Promise<number> {
  for (const { pid } of await descendants(root)) if ((await roleOf(pid)) === 'collector') return pid;
  throw new Error('there is no collector');
}

async function environmentOf(pid: number): Promise<NodeJS.ProcessEnv> {
  const lines = (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0');
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

async function processSample({ pid, startTicks, command }: ProcessIdentity): Promise<ProcessSample> {
  const [role, pss, descriptors] = await Promise.all([roleOf(pid), pssKiB(pid), openDescriptors(pid)]);
  return { identity: `${pid} ${startTicks}`, name: role ?? command, pssMiB: pss / 1024, descriptors };
}
