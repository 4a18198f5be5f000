/**
 * The simulator against the real thing: services, runners and Prometheus, with cameras that come in steps, and runners that are stepped from one
 * to three as an autoscaler does. What Prometheus recorded of it is played by `autoscale simulate`, which must come to the same. Figures are printed.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { openStreams } from '@stream-infer/bus/registry';
import { autoscalingQuery } from '@stream-infer/core/autoscaling-query';
import type { StreamAlgorithm } from '@stream-infer/core/stream-spec';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SimulationSummary } from '../../packages/cli/src/autoscale/scaling-simulation.ts';
import { streamInfer } from '../harness/command.ts';
import { streamSpec } from '../harness/decoded-source.ts';
import { eventually } from '../harness/eventually.ts';
import { makeVideo } from '../harness/made-videos.ts';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';
import { hasPrometheus, type Prometheus, startPrometheus } from '../harness/prometheus.ts';
import { type ServiceProcess, startService } from '../harness/service-process.ts';

const HOLD_MS = 200;
/** Keeps an instance busy, and no core: three runners are to fit on any machine. */
const HOLDING = `
export default class Holding {
  async run() {
    await new Promise((resolve) => setTimeout(resolve, ${HOLD_MS}));
    return 0;
  }
}`;
const FPS = 1;
const WINDOW: StreamAlgorithm = {
  name: 'a',
  definition: 'a',
  frameCount: 1,
  frameStep: 0,
  intervalFrames: 1,
  timeoutMs: 5_000,
  maxInFlight: 2,
  maxAttempts: 3,
};
const CAMERAS_PER_STEP = 3;
/** As often as an autoscaler asks. */
const SYNC_SECONDS = 15;
const STEP_SECONDS = 3 * SYNC_SECONDS;
const STEPS = 3;
const TARGET = 0.7;
/** Of the ratio, within which an autoscaler leaves things as they are. */
const TOLERANCE = 0.1;
const TRACE_STEP_SECONDS = 5;
const MOST_OFF = 0.1;

let directory: string;
let server: TestNatsServer;
let bus: Bus;
const services: ServiceProcess[] = [];
let prometheus: Prometheus | undefined;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-autoscaling-'));
  await writeFile(join(directory, 'holding.mjs'), HOLDING);
  await writeFile(join(directory, 'c.yaml'), 'algorithms: [{name: a, use: ./holding.mjs, intervalFrames: 1}]\n');
  makeVideo(join(directory, 'camera.mp4'), { seconds: STEPS * STEP_SECONDS + 120, fps: FPS, size: '64x48' });
  server = await startNatsServer();
  bus = await connectBus({ url: server.url, prefix: 'stream-infer', name: 'test' });
});
afterAll(async () => {
  await prometheus?.stop();
  for (const service of services.toReversed()) await service.stop();
  await bus?.close();
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

async function start(name: Parameters<typeof startService>[0]): Promise<ServiceProcess> {
  const service = await startService(name, {
    NATS_URL: server.url,
    STREAM_INFER_CONFIG: join(directory, 'c.yaml'),
    RESULTS_MAX_BYTES: String(2 ** 26),
  });
  services.push(service);
  return service;
}

const metric = async (service: ServiceProcess, line: RegExp): Promise<number> =>
  Number(line.exec(await (await fetch(`${service.addresses.http}/metrics`)).text())?.[1] ?? 0);
const busySecondsOf = (runner: ServiceProcess): Promise<number> =>
  metric(runner, /^stream_infer_runner_run_seconds_sum\{.*\} (\S+)$/m);

/** Runners, and what is counted of them. */
class Fleet {
  readonly #scheduler: ServiceProcess;
  readonly #runners: ServiceProcess[] = [];
  #decided = 0;

  constructor(scheduler: ServiceProcess) {
    this.#scheduler = scheduler;
  }

  /** That there are to be. */
  get replicas(): number {
    return this.#decided;
  }

  /** Seconds from now until they take work. */
  async scale(replicas: number): Promise<number> {
    const beganMs = performance.now();
    const more = replicas - this.#decided;
    this.#decided = replicas;
    const started = await Promise.all(Array.from({ length: more }, () => start('algo-runner')));
    this.#runners.push(...started);
    await eventually('the scheduler has the new runners', async () => (await this.ready()) === this.#runners.length);
    return (performance.now() - beganMs) / 1_000;
  }

  /** That take work. */
  ready(): Promise<number> {
    return metric(this.#scheduler, /^stream_infer_runners_connected(?:\{.*\})? (\S+)$/m);
  }

  /** That instances have been busy, since ever. */
  async busySeconds(): Promise<number> {
    return sum(await Promise.all(this.#runners.map(busySecondsOf)));
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;

type RecordedSecond = { readonly replicas: number; readonly ready: number; readonly busySeconds: number };

/** Part of their time that the runners of these seconds were busy. */
const utilizationOf = (seconds: readonly RecordedSecond[]): number =>
  sum(seconds.map(({ busySeconds }) => busySeconds)) / sum(seconds.map(({ ready }) => ready));

/** What the autoscaler makes of the query's answer: its published formula. */
function desiredReplicas(replicas: number, percent: number): number {
  const ratio = percent / (100 * TARGET * replicas);
  return Math.abs(ratio - 1) <= TOLERANCE ? replicas : Math.max(1, Math.ceil(replicas * ratio));
}

test.skipIf(!hasPrometheus)(
  'runners stepped from 1 to 3: the simulator comes to what was recorded, within 10 % (needs Prometheus: sh scripts/prometheus.sh)',
  async () => {
    const scheduler = await start('scheduler');
    const fleet = new Fleet(scheduler);
    await start('ingest');
    const startups = [await fleet.scale(1)];
    const registry = await openStreams(bus);
    const addCameras = async (step: number): Promise<void> => {
      for (let at = 0; at < CAMERAS_PER_STEP; at += 1) {
        const id = `cam${step}${at}`;
        await registry.put(
          id,
          streamSpec(join(directory, 'camera.mp4'), { id, mode: 'realtime', algorithms: [WINDOW] }),
        );
      }
    };
    const port = Number(new URL(scheduler.addresses.http ?? '').port);
    prometheus = await startPrometheus([{ port, labels: {} }], 'groups: []');
    const { query } = autoscalingQuery({ algorithm: 'a', targetUtilization: TARGET, offline: true });
    const percent = async (): Promise<number> => (await prometheus?.query(query))?.[0]?.value ?? Number.NaN;
    await addCameras(0);
    await eventually('the cost is measured, and the cameras of the first step count', async () => {
      const load = (CAMERAS_PER_STEP * FPS * HOLD_MS) / 10;
      const answer = await percent();
      return answer > 0.97 * load && answer < 1.3 * load;
    });

    const beganAt = Math.ceil(Date.now() / 1_000) + 1;
    const recorded: RecordedSecond[] = [];
    const scaling: Promise<unknown>[] = [];
    let busyBefore = Number.NaN;
    for (let second = 0; second <= STEPS * STEP_SECONDS; second += 1) {
      await sleep(Math.max(0, 1_000 * (beganAt + second) - Date.now()));
      const [ready, busy] = await Promise.all([fleet.ready(), fleet.busySeconds()]);
      if (second > 0) recorded.push({ replicas: fleet.replicas, ready, busySeconds: busy - busyBefore });
      busyBefore = busy;
      if (second % SYNC_SECONDS === 0) {
        const desired = desiredReplicas(fleet.replicas, await percent());
        if (desired > fleet.replicas) scaling.push(fleet.scale(desired).then((seconds) => startups.push(seconds)));
        expect(desired).toBeGreaterThanOrEqual(fleet.replicas);
      }
      const step = second / STEP_SECONDS;
      if (Number.isInteger(step) && step > 0 && step < STEPS) await addCameras(step);
    }
    await Promise.all(scaling);

    const range = new URLSearchParams({
      query: 'sum(stream_infer_offered_load{algorithm="a"})',
      start: String(beganAt),
      end: String(beganAt + STEPS * STEP_SECONDS),
      step: String(TRACE_STEP_SECONDS),
    });
    const text = await (await fetch(`${prometheus.url}/api/v1/query_range?${range.toString()}`)).text();
    const file = join(directory, 'trace.json');
    await writeFile(file, text);
    const startupSeconds = Math.max(1, Math.round(mean(startups.slice(1))));
    const options = ['--start', '1', '--min', '1', '--target', String(TARGET), '--startup', String(startupSeconds)];
    const command = await streamInfer(['autoscale', 'simulate', '--trace', file, ...options, '--json']);
    expect(command.stderr).toBe('');
    const { simulations } = JSON.parse(command.stdout) as { simulations: readonly SimulationSummary[] };
    const [simulated] = simulations;
    if (simulated === undefined) throw new Error('nothing was simulated');
    const replicas = recorded.map((one) => one.replicas);
    console.log(
      `autoscaling: runners start within ${startups.map((one) => one.toFixed(1)).join(', ')} s`,
      `\nrecorded:  ${Math.min(...replicas)}-${Math.max(...replicas)} runners, ${mean(replicas).toFixed(2)} on average, busy for ${(100 * utilizationOf(recorded)).toFixed(1)} %`,
      `\nsimulated: ${simulated.replicas.least}-${simulated.replicas.most} runners, ${simulated.replicas.mean.toFixed(2)} on average, busy for ${(100 * simulated.meanUtilization).toFixed(1)} %`,
    );
    expect([...new Set(replicas)]).toEqual([1, 2, 3]);
    expect(simulated.replicas).toMatchObject({ least: 1, most: 3 });
    expect(simulated.decisions).toBe(2);
    expect(Math.abs(simulated.replicas.mean / mean(replicas) - 1)).toBeLessThanOrEqual(MOST_OFF);
    expect(Math.abs(simulated.meanUtilization / utilizationOf(recorded) - 1)).toBeLessThanOrEqual(MOST_OFF);
    // While the second runner is not there yet the first one has all that it can do.
    const short = recorded.slice(STEP_SECONDS + 5, STEP_SECONDS + SYNC_SECONDS - 2);
    expect(utilizationOf(short)).toBeGreaterThan(1 - MOST_OFF);
  },
  300_000,
);
