/**
 * Hundreds of streams come and go while four play: theirs go on, the processes hold no more memory and no more descriptors than before, and of
 * the others nothing is left.
 */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { collectAllGarbage, SAMPLED_NODE_OPTIONS } from '../../bench/system-sampler.ts';
import { median } from '../../bench/trend.ts';
import { type Sample, usageReport } from '../../bench/usage-report.ts';
import { type ChurnWorld, startChurnWorld } from '../harness/churn-world.ts';
import { eventually } from '../harness/eventually.ts';
import type { GoHeap } from '../harness/go-heap.ts';
import { openDescriptors, pssKiB } from '../harness/process-usage.ts';
import type { ServiceName } from '../harness/service-process.ts';

const CHURNED = Number(process.env.STREAM_INFER_CHURN ?? 200);
const AT_ONCE = 4;
/** Of those churned, before which a process has not yet got what it keeps. */
const WARM_UP_SHARE = 0.25;
const PLAYING = ['a', 'b', 'c', 'd'];
/** What lives in nats-server may grow by as much as the memory of a process: by objects of the size that they have. */
const HEAP_GROWTH_SHARE = 0.02;
const HEAP_GROWTH_MIB = 1;
const HEAP_SAMPLES = 5;
/** What is stored of a run stays on the bus for a minute beyond it. */
const RESULTS_MS = 120_000;
const SERVICES: readonly ServiceName[] = ['ingest', 'scheduler', 'algo-runner', 'collector'];

const BUS = 'nats-server';
const MIB = 2 ** 20;

let world: ChurnWorld;
beforeAll(async () => {
  world = await startChurnWorld({ NODE_OPTIONS: SAMPLED_NODE_OPTIONS });
});
afterAll(() => world?.stop());

async function churn(ids: readonly string[]): Promise<void> {
  const held = await world.churn(ids, PLAYING);
  expect(held.buffers).toEqual(PLAYING);
}

/**
 * What lives in nats-server. Its memory as a whole does not tell what streams leave behind: most of it is buffers of the blocks of its files, which
 * grow up to 8 MiB each with all that is written, whether streams come and go or not.
 */
async function busHeap(): Promise<GoHeap> {
  const heaps: GoHeap[] = [];
  while (heaps.length < HEAP_SAMPLES) heaps.push(await world.busHeap());
  const [objects, bytes] = [median(heaps.map((heap) => heap.objects)), median(heaps.map((heap) => heap.bytes))];
  console.info(`${BUS}: ${objects} objects live, of ${(bytes / MIB).toFixed(2)} MiB`);
  return { objects, bytes };
}

const only = (sample: Sample, names: readonly string[]): Sample => ({
  ...sample,
  processes: sample.processes.filter(({ name }) => names.includes(name)),
});

async function sample(): Promise<Sample> {
  const pids = [
    ...SERVICES.map((name) => ({ name, pid: world.service(name).process.pid ?? 0 })),
    { name: BUS, pid: world.busPid },
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
  await churn(Array.from({ length: AT_ONCE }, (_, index) => `first${index}`));
  const early = await busHeap();
  const samples: Sample[] = [];
  for (let begun = 0; begun < CHURNED; begun += AT_ONCE) {
    await churn(Array.from({ length: AT_ONCE }, (_, index) => `c${begun + index}`));
    samples.push(await sample());
  }
  const measured = samples.slice(Math.floor(samples.length * WARM_UP_SHARE));
  const services = usageReport(measured.map((one) => only(one, SERVICES)));
  const bus = usageReport(measured.map((one) => only(one, [BUS])));
  for (const { name, meanMiB, growthMiB, limitMiB, descriptors } of [...services.processes, ...bus.processes])
    console.info(
      `${name}: ${meanMiB.toFixed(1)} MiB, grown by ${growthMiB.toFixed(2)} (${name === BUS ? 'as buffers of blocks do' : `at most ${limitMiB.toFixed(2)}`}); descriptors ${descriptors.first} → ${descriptors.second}`,
    );
  await world.forgotten(PLAYING.length);
  const late = await busHeap();
  expect(services).toMatchObject({ held: true });
  expect(bus.processes).toMatchObject([{ descriptors: { held: true } }]);
  const mostObjects = early.objects * Math.max(HEAP_GROWTH_SHARE, (HEAP_GROWTH_MIB * MIB) / early.bytes);
  expect(late.objects - early.objects).toBeLessThanOrEqual(mostObjects);
  for (const [index, id] of PLAYING.entries()) {
    expect(await world.report(id)).toMatchObject({ run: before[index]?.run, state: 'running' });
    await eventually(`every result of ${id} that is missing is counted`, async () => (await world.missing(id)) <= 0);
  }
  for (const id of PLAYING) await world.remove(id);
  await eventually('no buffer is left', async () => (await world.held()).buffers.length === 0);
  await eventually('no run is registered, and nobody follows one', async () => (await world.registered()).length === 0);
  await eventually('nothing stands in RESULTS', async () => (await world.results()).length === 0, RESULTS_MS);
}, 1_200_000);
