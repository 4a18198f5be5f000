/** What the runner counts. `algorithm` is the definition's name; durations are histograms in seconds. */

import type { Stage } from '@stream-infer/algorithm';
import type { AlgorithmDefinition } from '@stream-infer/core/algorithm-definition';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { BatchRun } from './served-algorithm.ts';
import type { Answer } from './task.ts';
import type { Placement } from './worker-messages.ts';
import type { WorkerState } from './worker-thread.ts';

/** What gauges read when they are scraped. */
export type Served = {
  readonly definition: string;
  workers(state: WorkerState['kind']): number;
  credits(): number;
  placements(): readonly Placement[];
  versions(): readonly string[];
};

export type RunnerMetrics = {
  /** It is served from now on: what is counted of it stands at 0 before it happens. */
  serves(definition: string): void;
  answered(definition: string, answer: Answer): void;
  ran(definition: AlgorithmDefinition, run: BatchRun): void;
  workerLost(definition: string): void;
};

const WINDOWS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128, 256];
const FILL = [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1];
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Metrics' word for a state of a worker. */
const STATES = { idle: 'idle', busy: 'running', starting: 'starting', set_aside: 'set-aside' } as const;

export function createRunnerMetrics(registry: Registry): RunnerMetrics {
  const registers = [registry];
  const invocations = new Counter({
    name: 'stream_infer_runner_invocations_total',
    help: 'Invocations answered: ok, fault, or not_started where they were given back.',
    labelNames: ['algorithm', 'outcome'],
    registers,
  });
  const workersLost = new Counter({
    name: 'stream_infer_runner_workers_lost_total',
    help: 'Worker threads that overran a time limit or ended by themselves.',
    labelNames: ['algorithm'],
    registers,
  });
  const timing = { labelNames: ['algorithm'] as const, buckets: SECONDS, registers };
  const queue = new Histogram({
    name: 'stream_infer_runner_queue_seconds',
    help: 'Time an invocation waits in the runner, by algorithm.',
    ...timing,
  });
  const fetch = new Histogram({
    name: 'stream_infer_runner_fetch_seconds',
    help: 'Time to fetch and decode the frames of a window, by algorithm.',
    ...timing,
  });
  const run = new Histogram({
    name: 'stream_infer_runner_run_seconds',
    help: 'Time an algorithm takes for a batch, by algorithm.',
    ...timing,
  });
  const preprocess = new Histogram({
    name: 'stream_infer_runner_preprocess_seconds',
    help: 'Of a batch: time to make the input of its frames, where the algorithm tells it, as those built in with a model do.',
    ...timing,
  });
  const infer = new Histogram({
    name: 'stream_infer_runner_infer_seconds',
    help: 'Of a batch: time in the model, where the algorithm tells it.',
    ...timing,
  });
  const postprocess = new Histogram({
    name: 'stream_infer_runner_postprocess_seconds',
    help: 'Of a batch: time to make results of the outputs, where the algorithm tells it.',
    ...timing,
  });
  const stages: Readonly<Record<Stage, Histogram>> = { preprocess, infer, postprocess };
  const batchSize = new Histogram({
    name: 'stream_infer_runner_batch_windows',
    help: 'Windows in a batch, by algorithm.',
    labelNames: ['algorithm'],
    buckets: WINDOWS,
    registers,
  });
  const batchFill = new Histogram({
    name: 'stream_infer_runner_batch_fill_ratio',
    help: 'Windows in a batch as a part of maxBatch, by algorithm.',
    labelNames: ['algorithm'],
    buckets: FILL,
    registers,
  });
  const batchesFailed = new Counter({
    name: 'stream_infer_runner_batches_failed_total',
    help: 'Batches of several windows that failed as a whole, so that their windows are run one by one.',
    labelNames: ['algorithm'],
    registers,
  });
  return {
    serves(algorithm) {
      for (const outcome of ['ok', 'fault', 'not_started']) invocations.inc({ algorithm, outcome }, 0);
      workersLost.inc({ algorithm }, 0);
      batchesFailed.inc({ algorithm }, 0);
    },
    answered(algorithm, { outcome, timings }) {
      const name = outcome.kind === 'data' ? 'ok' : outcome.notStarted ? 'not_started' : 'fault';
      invocations.inc({ algorithm, outcome: name });
      queue.observe({ algorithm }, timings.queueUs / 1e6);
      if (name === 'not_started') return;
      fetch.observe({ algorithm }, timings.fetchUs / 1e6);
    },
    ran({ name: algorithm, maxBatch }, { windows, failed, runUs, stagesUs }) {
      batchSize.observe({ algorithm }, windows);
      batchFill.observe({ algorithm }, windows / maxBatch);
      if (runUs > 0) run.observe({ algorithm }, runUs / 1e6);
      for (const [stage, us] of Object.entries(stagesUs)) stages[stage as Stage].observe({ algorithm }, us / 1e6);
      if (failed && windows > 1) batchesFailed.inc({ algorithm });
    },
    workerLost: (algorithm) => workersLost.inc({ algorithm }),
  };
}

/** Gauges of the workers and credits of what is served, read when they are scraped. */
export function observeServed(registry: Registry, served: readonly Served[]): void {
  const workersGauge = new Gauge({
    name: 'stream_infer_runner_workers',
    help: 'Worker threads by state: idle, busy, starting or set_aside.',
    labelNames: ['algorithm', 'state'],
    registers: [],
    collect() {
      for (const { definition, workers } of served)
        for (const [state, kind] of Object.entries(STATES)) this.set({ algorithm: definition, state }, workers(kind));
    },
  });
  const creditsGauge = new Gauge({
    name: 'stream_infer_runner_credits',
    help: 'Invocations that callers may still send.',
    labelNames: ['algorithm'],
    registers: [],
    collect() {
      for (const { definition, credits } of served) this.set({ algorithm: definition }, credits());
    },
  });
  const deviceGauge = new Gauge({
    name: 'stream_infer_runner_device',
    help: 'What the model of an algorithm runs on: 1 for cpu or gpu, or both where its workers differ, where the algorithm tells it, as those built in with a model do; fallback says whether a GPU was wanted.',
    labelNames: ['algorithm', 'device', 'fallback'],
    registers: [],
    collect() {
      this.reset();
      for (const { definition, placements } of served)
        for (const { device, problem } of placements()) {
          const fallback = problem === undefined ? 'false' : 'true';
          this.set({ algorithm: definition, device, fallback }, 1);
        }
    },
  });
  const versionGauge = new Gauge({
    name: 'stream_infer_runner_version',
    help: '1 for the version of an algorithm that the runner serves, which results carry; for each, where its workers differ.',
    labelNames: ['algorithm', 'version'],
    registers: [],
    collect() {
      this.reset();
      for (const { definition, versions } of served)
        for (const version of versions()) this.set({ algorithm: definition, version }, 1);
    },
  });
  registry.registerMetric(versionGauge);
  registry.registerMetric(deviceGauge);
  registry.registerMetric(workersGauge);
  registry.registerMetric(creditsGauge);
}
