/** Plays a scenario through real services, each a process as a pod has it, and measures what each role takes of the machine. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { openStreams } from '@stream-infer/bus/registry';
import type { AlgorithmDefinition } from '@stream-infer/core/algorithm-definition';
import { parseConfiguration } from '@stream-infer/core/configuration-fault';
import { resolveStreams } from '@stream-infer/core/resolve-streams';
import type { PlannedRole } from '../packages/cli/src/plan/cost-curve.ts';
import { PLANNED_ROLES } from '../packages/cli/src/plan/cost-curve.ts';
import { eventually } from '../test/harness/eventually.ts';
import { freePorts } from '../test/harness/free-ports.ts';
import { startNatsServer, type TestNatsServer } from '../test/harness/nats-server.ts';
import { descendants } from '../test/harness/process-tree.ts';
import { cpuSeconds, pssKiB, rssKiB } from '../test/harness/process-usage.ts';
import { type ServiceName, type ServiceProcess, startService } from '../test/harness/service-process.ts';
import { roleOf } from '../test/harness/system-role.ts';
import type { PlanScenario } from './plan-scenarios.ts';
import { sum } from './trend.ts';

export type PlanMeasurement = {
  /** That each role kept busy. */
  readonly cores: Readonly<Record<PlannedRole, number>>;
  readonly memoryMiB: Readonly<Record<PlannedRole, number>>;
  /** All bytes that clients gave to the bus, and got. */
  readonly bus: { readonly inMegabytesPerSecond: number; readonly outMegabytesPerSecond: number };
  /** Frames decoded and published in a second. */
  readonly decoded: number;
  readonly published: number;
  /** Windows answered in a second, by algorithm. */
  readonly answered: ReadonlyMap<string, number>;
  /** Milliseconds of an instance that a window is reckoned to cost, as the scheduler tells it, by algorithm. */
  readonly costMs: ReadonlyMap<string, number>;
};

const WARM_UP_MS = 6_000;
const MEASURED_MS = 15_000;
const SAMPLES = 10;
const START_LIMIT_MS = 60_000;

/** @param source of a camera, by its number. */
export async function measureScenario(
  scenario: PlanScenario,
  source: (camera: number) => string,
): Promise<PlanMeasurement> {
  const folder = await mkdtemp(join(tmpdir(), 'stream-infer-plan-'));
  const [monitoringPort = 0] = await freePorts(1);
  const server = await startNatsServer({ configuration: `http: "127.0.0.1:${monitoringPort}"` });
  const bus = await connectBus({ url: server.url, prefix: 'stream-infer', name: 'plan' });
  const services: Service[] = [];
  try {
    const configuration = parseConfiguration(configurationOf(scenario, source), 'scenario');
    const file = join(folder, 'configuration.json');
    await writeFile(file, JSON.stringify({ algorithms: configuration.algorithms }));
    const environment = { NATS_URL: server.url, STREAM_INFER_CONFIG: file };
    const start = async (name: ServiceName, own: Readonly<Record<string, string>> = {}): Promise<void> => {
      services.push({ name, process: await startService(name, { ...environment, ...own }) });
    };
    await start('collector', { STORE_PATH: join(folder, 'results.sqlite') });
    await start('scheduler');
    for (const { name } of configuration.algorithms) await start('algo-runner', { SERVE: name });
    await start('ingest');
    const registry = await openStreams(bus);
    for (const spec of resolveStreams(configuration, (path) => path)) await registry.put(spec.id, spec);
    const world = { server, monitoringPort, services, algorithms: configuration.algorithms };
    if (scenario.cameras > 0) await eventually('every algorithm has results', () => allAnswer(world), START_LIMIT_MS);
    await sleep(WARM_UP_MS);
    return await measured(world);
  } finally {
    await stopAll(services, bus, server);
    await rm(folder, { recursive: true, force: true });
  }
}

export const configurationOf = (
  { cameras, played, algorithms }: PlanScenario,
  source: (camera: number) => string,
): unknown => ({
  algorithms,
  streams: Array.from({ length: cameras }, (_, camera) => ({
    id: `cam${camera}`,
    source: source(camera),
    mode: 'realtime',
    ...played,
  })),
});

type Service = { readonly name: ServiceName; readonly process: ServiceProcess };
type World = {
  readonly server: TestNatsServer;
  readonly monitoringPort: number;
  readonly services: readonly Service[];
  readonly algorithms: readonly AlgorithmDefinition[];
};

async function stopAll(services: readonly Service[], bus: Bus, server: TestNatsServer): Promise<void> {
  // What comes later depends on what came before.
  for (const { process } of services.toReversed()) await process.stop();
  await bus.close();
  await server.stop();
}

async function allAnswer(world: World): Promise<boolean> {
  const answers = await answeredBy(world);
  return world.algorithms.every(({ name }) => (answers.get(name) ?? 0) > 0);
}

async function measured(world: World): Promise<PlanMeasurement> {
  const processes = await processesOf(world);
  const before = await countersOf(world, processes);
  const memory: ReadonlyMap<PlannedRole, number>[] = [];
  for (let at = 0; at < SAMPLES; at += 1) {
    await sleep(MEASURED_MS / SAMPLES);
    memory.push(await byRole(processes, memoryMiB));
  }
  const after = await countersOf(world, processes);
  const seconds = (after.atMs - before.atMs) / 1_000;
  const [first, last] = [before.bus, after.bus];
  return {
    cores: eachRole((role) => ((after.cpu.get(role) ?? 0) - (before.cpu.get(role) ?? 0)) / seconds),
    memoryMiB: eachRole((role) => memory.reduce((sum, sample) => sum + (sample.get(role) ?? 0), 0) / SAMPLES),
    bus: {
      inMegabytesPerSecond: (last.in_bytes - first.in_bytes) / seconds / 1e6,
      outMegabytesPerSecond: (last.out_bytes - first.out_bytes) / seconds / 1e6,
    },
    decoded: (after.frames.decoded - before.frames.decoded) / seconds,
    published: (after.frames.published - before.frames.published) / seconds,
    answered: new Map(
      [...after.answered].map(([name, count]) => [name, (count - (before.answered.get(name) ?? 0)) / seconds]),
    ),
    costMs: await costsOf(world),
  };
}

type Process = { readonly role: PlannedRole; readonly pid: number };

async function processesOf({ server, services }: World): Promise<readonly Process[]> {
  const own = services.map(({ name, process }) => ({ role: name, pid: process.process.pid ?? 0 }));
  const ingest = own.find(({ role }) => role === 'ingest')?.pid ?? 0;
  const below = await Promise.all(
    (await descendants(ingest)).map(async ({ pid }) => ({ role: await roleOf(pid), pid })),
  );
  const decoders = below.flatMap(({ role, pid }) => (role === 'ffmpeg' ? [{ role, pid }] : []));
  return [...own, ...decoders, { role: 'nats-server', pid: server.pid }];
}

/** As containers count it: those of one share their pages, and the decoders are in one with their ingest. */
const memoryMiB = async ({ role, pid }: Process): Promise<number> =>
  (await (role === 'ffmpeg' ? pssKiB(pid) : rssKiB(pid))) / 1_024;

async function byRole(
  processes: readonly Process[],
  of: (process: Process) => Promise<number>,
): Promise<ReadonlyMap<PlannedRole, number>> {
  const sums = new Map<PlannedRole, number>();
  const values = await Promise.all(processes.map(of));
  for (const [at, { role }] of processes.entries()) sums.set(role, (sums.get(role) ?? 0) + (values[at] ?? 0));
  return sums;
}

const eachRole = (of: (role: PlannedRole) => number): Readonly<Record<PlannedRole, number>> =>
  Object.fromEntries(PLANNED_ROLES.map((role) => [role, of(role)])) as Record<PlannedRole, number>;

async function countersOf(world: World, processes: readonly Process[]) {
  const [cpu, answered, frames, bus] = await Promise.all([
    byRole(processes, ({ pid }) => cpuSeconds(pid)),
    answeredBy(world),
    framesOf(world),
    busCounters(world.monitoringPort),
  ]);
  return { atMs: performance.now(), cpu, answered, frames, bus };
}

async function framesOf({ services }: World): Promise<{ readonly decoded: number; readonly published: number }> {
  const texts = await Promise.all(services.filter(({ name }) => name === 'ingest').map(metrics));
  const total = (what: string): number => {
    const lines = texts.join('\n').matchAll(new RegExp(`^stream_infer_frames_${what}_total\\{.*\\} (\\S+)$`, 'gm'));
    return sum([...lines].map(([, value]) => Number(value)));
  };
  return { decoded: total('decoded'), published: total('published') };
}

async function busCounters(port: number): Promise<{ readonly in_bytes: number; readonly out_bytes: number }> {
  return (await fetch(`http://127.0.0.1:${port}/varz`)).json() as Promise<{ in_bytes: number; out_bytes: number }>;
}

const metrics = async ({ process }: Service): Promise<string> =>
  (await fetch(`${process.addresses.http}/metrics`)).text();

async function answeredBy({ services }: World): Promise<ReadonlyMap<string, number>> {
  const texts = await Promise.all(services.filter(({ name }) => name === 'algo-runner').map(metrics));
  return valuesOf(
    texts.join('\n'),
    /^stream_infer_runner_invocations_total\{algorithm="([^"]+)",outcome="ok".*\} (\S+)$/gm,
  );
}

async function costsOf({ services }: World): Promise<ReadonlyMap<string, number>> {
  const texts = await Promise.all(services.filter(({ name }) => name === 'scheduler').map(metrics));
  const seconds = valuesOf(texts.join('\n'), /^stream_infer_window_cost_seconds\{algorithm="([^"]+)".*\} (\S+)$/gm);
  return new Map([...seconds].map(([name, value]) => [name, 1_000 * value]));
}

const valuesOf = (text: string, line: RegExp): ReadonlyMap<string, number> =>
  new Map([...text.matchAll(line)].map(([, name = '', value]) => [name, Number(value)]));
