/**
 * Hundreds of streams come and go while four play: theirs go on, the processes hold no more memory and no more descriptors than before, and of
 * the others nothing is left.
 */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { collectAllGarbage, SAMPLED_NODE_OPTIONS } from '../../bench/system-sampler.ts';
import { median } from '../../bench/trend.ts';
import { type ProcessReport, type Sample, usageReport } from '../../bench/usage-report.ts';
import { type ChurnWorld, startChurnWorld } from '../harness/churn-world.ts';
import { eventually } from '../harness/eventually.ts';
import type { GoHeap } from '../harness/go-heap.ts';
import { openDescriptors, ownKiB } from '../harness/process-usage.ts';
import type { ServiceName } from '../harness/service-process.ts';

const CHURNED = Number(process.env.STREAM_INFER_CHURN ?? 200);
const AT_ONCE = 4;
/** Streams that come and go before those that are measured: by then a process has compiled its code, and has what it keeps at hand of anything. */
const WARM_UP = 100;
const PLAYING = ['a', 'b', 'c', 'd'];
/**
 * What lives in nats-server may grow by so many objects, and so many for each stream that came and went: of each subject that is new to one of its streams it
 * keeps at hand which consumers follow it, some four objects for 1,024 subjects at most, and one of ours has five. A consumer or a stream that stays is dozens.
 */
const HEAP_OBJECTS = 600;
const HEAP_OBJECTS_A_STREAM = 20;
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
async function busObjects(): Promise<number> {
  await world.forgotten(PLAYING.length);
  const heaps: GoHeap[] = [];
  while (heaps.length < HEAP_SAMPLES) heaps.push(await world.busHeap());
  const [objects, bytes] = [median(heaps.map((heap) => heap.objects)), median(heaps.map((heap) => heap.bytes))];
  console.info(`${BUS}: ${objects} objects live, of ${(bytes / MIB).toFixed(2)} MiB`);
  return objects;
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
    // Pages of files are shared with whoever runs the same program, and come and go with the kernel's need.
    pssMiB: (await ownKiB(pid)) / 1024,
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

/** So many come and go, with a sample behind each few of them. */
async function churned(prefix: string, count: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (let begun = 0; begun < count; begun += AT_ONCE) {
    await churn(Array.from({ length: AT_ONCE }, (_, index) => `${prefix}${begun + index}`));
    samples.push(await sample());
  }
  return samples;
}

function told({ name, courseMiB, growthMiB, limitMiB, descriptors }: ProcessReport): string {
  const course = courseMiB.map((value) => value.toFixed(1)).join(' → ');
  const limit = name === BUS ? 'as buffers of blocks do' : `at most ${limitMiB.toFixed(2)}`;
  return `${name}: ${course} MiB, grown by ${growthMiB.toFixed(2)} (${limit}); descriptors ${descriptors.first} → ${descriptors.second}`;
}

test(`${CHURNED} streams leave memory and descriptors as they were, and those that play alone`, async () => {
  for (const id of PLAYING) await world.put(id);
  const before = await eventually('all play', async () => {
    const all = await Promise.all(PLAYING.map(world.report));
    return all.every(({ results }) => results >= 2) && all;
  });
  await churned('warm', WARM_UP);
  const samples = await churned('c', CHURNED);
  const services = usageReport(samples.map((one) => only(one, SERVICES)));
  const bus = usageReport(samples.map((one) => only(one, [BUS])));
  for (const report of [...services.processes, ...bus.processes]) console.info(told(report));
  // Behind what is measured: it waits for minutes, in which V8 gives memory back that it takes again.
  const early = await busObjects();
  await churned('more', CHURNED);
  const late = await busObjects();
  expect(services).toMatchObject({ held: true });
  expect(bus.processes).toMatchObject([{ descriptors: { held: true } }]);
  expect(late - early).toBeLessThanOrEqual(HEAP_OBJECTS + CHURNED * HEAP_OBJECTS_A_STREAM);
  for (const [index, id] of PLAYING.entries()) {
    expect(await world.report(id)).toMatchObject({ run: before[index]?.run, state: 'running' });
    await eventually(`every result of ${id} that is missing is counted`, async () => (await world.missing(id)) <= 0);
  }
  for (const id of PLAYING) await world.remove(id);
  await eventually('no buffer is left', async () => (await world.held()).buffers.length === 0);
  await eventually('no run is registered, and nobody follows one', async () => (await world.registered()).length === 0);
  await eventually('nothing stands in RESULTS', async () => (await world.results()).length === 0, RESULTS_MS);
}, 2_400_000);
