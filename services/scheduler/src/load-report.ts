/**
 * The offered load of this scheduler's streams (D10): followed, shown as metrics, and its costs kept on the bus, so that the first camera
 * after a night at zero runners is priced with what its algorithm cost yesterday.
 */

import type { Bucket } from '@stream-infer/bus/bucket';
import { type Watch, watchBucket } from '@stream-infer/bus/watch-bucket';
import type { AlgorithmDefinition } from '@stream-infer/core/algorithm-definition';
import { type Fault, toFault } from '@stream-infer/core/fault';
import type { KeptCost } from '@stream-infer/core/invocation-cost';
import { OfferedLoad } from '@stream-infer/core/offered-load';
import type { Schedule } from '@stream-infer/core/schedule';
import type { Mode } from '@stream-infer/core/stream-spec';
import type { Result } from '@stream-infer/proto/stream_infer/v1/result';
import type { Registry } from 'prom-client';
import type { BufferedFrame } from './invocation-message.ts';
import type { WindowAnswer } from './lane-results.ts';
import { createLoadMetrics, type ShownLoad } from './load-metrics.ts';
import type { LaneMetrics } from './metrics.ts';
import type { RunnerDirectory } from './runner-directory.ts';

export type LoadReportOptions = {
  readonly costs: Bucket<KeptCost>;
  /** Of the configuration as it stands, where there is one. */
  readonly definitions: () => readonly AlgorithmDefinition[];
  readonly runners: () => Pick<RunnerDirectory, 'definitions' | 'capacityOf' | 'remembers'>;
  readonly registry: Registry;
  report(fault: Fault): void;
};

export type LoadFacts = { readonly mode: Mode /** From one window to the next. */; readonly intervalMs: number };

const SAMPLE_MS = 1_000;
const KEEP_MS = 10_000;
/** A cost that changed by less is not written again. */
const WORTH_KEEPING = 0.02;
const EXPECTED_MS = 100;

export class LoadReport {
  readonly #options: LoadReportOptions;
  readonly #load: OfferedLoad;
  readonly #watch: Watch;
  readonly #sampling: NodeJS.Timeout;
  readonly #keeping: NodeJS.Timeout;
  /** As it stands on the bus, by definition. */
  readonly #kept = new Map<string, KeptCost>();
  #writing: Promise<void> = Promise.resolve();

  constructor(options: LoadReportOptions) {
    this.#options = options;
    const expectedMs = (definition: string): number =>
      options.definitions().find(({ name }) => name === definition)?.expectedMs ?? EXPECTED_MS;
    this.#load = new OfferedLoad({ expectedMs, nowMs: performance.now() });
    createLoadMetrics(options.registry, () => this.#shown());
    this.#watch = watchBucket(
      options.costs,
      (change) => {
        if (change.kind !== 'put') return;
        this.#kept.set(change.key, change.value);
        this.#load.adopt(change.key, change.value);
      },
      options.report,
    );
    this.#sampling = setInterval(() => this.#load.sample(performance.now()), SAMPLE_MS);
    this.#keeping = setInterval(() => this.#keep(), KEEP_MS);
  }

  /** Counts one algorithm on one stream, until its metrics close. */
  follow(
    schedule: Schedule<BufferedFrame, WindowAnswer>,
    { mode, intervalMs }: LoadFacts,
    metrics: LaneMetrics,
  ): LaneMetrics {
    const { definition, maxInFlight } = schedule.algorithm;
    const { runners } = this.#options;
    const lane = {
      definition,
      mode,
      perSecond: 1_000 / intervalMs,
      maxInFlight,
      due: () => schedule.due.come,
      // What has memory runs one window at a time.
      open: () => (runners().remembers(definition) ? Math.min(1, schedule.open) : schedule.open),
    };
    const forget = this.#load.follow(lane, performance.now());
    return {
      ...metrics,
      close: () => {
        forget();
        metrics.close();
      },
    };
  }

  answered(definition: string, { outcome, timings, version }: Result): void {
    if (outcome?.$case !== 'data' || timings === undefined) return;
    const windows = Math.max(1, timings.batchWindows);
    this.#load.ran(definition, { version, windows, runMs: timings.runUs / 1_000 });
  }

  /** Keeps what was learnt. Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#sampling);
    clearInterval(this.#keeping);
    await this.#watch.close();
    this.#keep();
    await this.#writing;
  }

  #shown(): readonly ShownLoad[] {
    const { definitions } = this.#options;
    const runners = this.#options.runners();
    const configured = new Map(definitions().map(({ name, concurrency }) => [name, concurrency]));
    const names = new Set([...configured.keys(), ...runners.definitions, ...this.#load.definitions]);
    return [...names].map((algorithm) => ({
      algorithm,
      ...this.#load.of(algorithm),
      capacity: runners.capacityOf(algorithm) ?? configured.get(algorithm) ?? 1,
    }));
  }

  #keep(): void {
    const { costs, report } = this.#options;
    for (const definition of this.#load.priced) {
      const cost = this.#load.kept(definition);
      if (cost === undefined || !isNews(cost, this.#kept.get(definition))) continue;
      this.#kept.set(definition, cost);
      const writing = costs.put(definition, cost).catch((error: unknown) => {
        this.#kept.delete(definition);
        report(toFault(error, 'BUS_FAILED', `what a window of ${definition} costs cannot be kept`));
      });
      // All at once: a bus that is away keeps a scheduler from its end no longer than it takes one to be given up.
      this.#writing = Promise.all([this.#writing, writing]).then(() => undefined);
    }
  }
}

function isNews(cost: KeptCost, kept: KeptCost | undefined): boolean {
  if (kept?.version !== cost.version) return true;
  return cost.sizes.some(({ upTo, msPerWindow }) => {
    const before = kept.sizes.find((size) => size.upTo === upTo)?.msPerWindow;
    return before === undefined || Math.abs(msPerWindow - before) > WORTH_KEEPING * before;
  });
}
