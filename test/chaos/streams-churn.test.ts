/**
 * Hundreds of streams come and go while four play: theirs go on, the processes hold no more memory and no more descriptors than before, and of
 * the others nothing is left.
 */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { collectAllGarbage, SAMPLED_NODE_OPTIONS } from '../../bench/system-sampler.ts';
import { type Sample, usageReport } from '../../bench/usage-report.ts';
import { type ChurnWorld, startChurnWorld } from '../harness/churn-world.ts';
import { eventually } from '../harness/eventually.ts';
import { openDescriptors, pssKiB } from '../harness/process-usage.ts';
import type { ServiceName } from '../harness/service-process.ts';

const CHURNED = Number(process.env.STREAM_INFER_CHURN ?? 200);
const AT_ONCE = 4;
/** Of those churned, before which a process has not yet got what it keeps. */
const WARM_UP_SHARE = 0.25;
const PLAYING = ['a', 'b', 'c', 'd'];
/** What is stored of a run stays on the bus for a minute beyond it. */
const RESULTS_MS = 120_000;
const SERVICES: readonly ServiceName[] = ['ingest', 'scheduler', 'algo-runner', 'collector'];

let world: ChurnWorld;
beforeAll(async () => {
  world = await startChurnWorld({ NODE_OPTIONS: SAMPLED_NODE_OPTIONS });
});
afterAll(() => world?.stop());

async function sample(): Promise<Sample> {
  const pids = [
    ...SERVICES.map((name) => ({ name, pid: world.service(name).process.pid ?? 0 })),
    { name: 'nats-server', pid: world.busPid },
  ];
  await collectAllGarbage(pids);
  const processes = pids.map(async ({ name, pid }) => ({
    identity: name,
    name,
    pssMiB: (await pssKiB(pid)) / 1024,
    descriptors: await openDescriptors(pid),
  }));
  const { buffers, allConsumers } = await world.held();
  return {
    atMs: performance.now(),
    processes: await Promise.all(processes),
    streams: buffers.length,
    consumers: allConsumers,
    unaccounted: 0,
  };
}

test(`${CHURNED} streams leave memory and descriptors as they were, and those that play alone`, async () => {
  for (const id of PLAYING) await world.put(id);
  const before = await eventually('all play', async () => {
    const all = await Promise.all(PLAYING.map(world.report));
    return all.every(({ results }) => results >= 2) && all;
  });
  const samples: Sample[] = [];
  for (let begun = 0; begun < CHURNED; begun += AT_ONCE) {
    const held = await world.churn(
      Array.from({ length: AT_ONCE }, (_, index) => `c${begun + index}`),
      PLAYING,
    );
    expect(held.buffers).toEqual(PLAYING);
    samples.push(await sample());
  }
  const report = usageReport(samples.slice(Math.floor(samples.length * WARM_UP_SHARE)));
  for (const { name, meanMiB, growthMiB, limitMiB, descriptors } of report.processes)
    console.info(
      `${name}: ${meanMiB.toFixed(1)} MiB, grown by ${growthMiB.toFixed(2)} (at most ${limitMiB.toFixed(2)}); descriptors ${descriptors.first} → ${descriptors.second}`,
    );
  expect(report).toMatchObject({ held: true });
  for (const [index, id] of PLAYING.entries()) {
    expect(await world.report(id)).toMatchObject({ run: before[index]?.run, state: 'running' });
    await eventually(`every result of ${id} that is missing is counted`, async () => (await world.missing(id)) <= 0);
  }
  for (const id of PLAYING) await world.remove(id);
  await eventually('no buffer is left', async () => (await world.held()).buffers.length === 0);
  await eventually('no run is registered, and nobody follows one', async () => (await world.registered()).length === 0);
  await eventually('nothing stands in RESULTS', async () => (await world.results()).length === 0, RESULTS_MS);
}, 1_200_000);
