/** One algorithm with the worker threads that run it: made together, so that whatever a worker says reaches its algorithm. */

import type { Device } from '@stream-infer/algorithm';
import type { AlgorithmDefinition } from '@stream-infer/core/algorithm-definition';
import { Fault } from '@stream-infer/core/fault';
import type { Logger } from '@stream-infer/service-kit/logger';
import type { FrameSource } from './frame-source.ts';
import { type BatchRun, ServedAlgorithm } from './served-algorithm.ts';
import type { Answer } from './task.ts';
import type { Placement } from './worker-messages.ts';
import { WorkerPool } from './worker-pool.ts';

export type ServedPoolOptions = {
  readonly definition: AlgorithmDefinition;
  /** Of the configuration file, absolute. */
  readonly directory: string;
  /** Where models run, where the algorithm does not say. */
  readonly device: Device;
  readonly requireGpu: boolean;
  readonly frames: FrameSource;
  readonly logger: Logger;
  /** Every answer, for the metrics. */
  answered(answer: Answer): void;
  /** Every batch that was run, for the metrics. */
  ran(run: BatchRun): void;
  /** A fault of a kind and at a place that did not just occur. */
  report(fault: Fault, fields: Readonly<Record<string, unknown>>): void;
  /** An instance told where its model runs. */
  placed(placement: Placement): void;
  /** A worker thread was lost. */
  workerLost(): void;
  /** The algorithm cannot be served any more. */
  failed(fault: Fault): void;
};

export type ServedPool = { readonly algorithm: ServedAlgorithm; readonly pool: WorkerPool };

const DEFAULT_TIMEOUT_MS = 10_000;

export function createServedPool(options: ServedPoolOptions): ServedPool {
  const { name, use, options: algorithmOptions, state } = options.definition;
  const { concurrency, timeoutMs, maxBatch, maxDelayMs } = options.definition;
  const { directory, device, requireGpu } = options;
  const logger = options.logger.child({ algorithm: name });
  // An algorithm that fails on every frame logs one line, not one a frame.
  let lastFailure = '';
  const reportFailure = ({ outcome }: Answer, place: string | undefined): void => {
    if (outcome.kind === 'data' || outcome.notStarted) return;
    const failure = `${outcome.fault.code} ${place}`;
    if (failure === lastFailure) return;
    lastFailure = failure;
    const fields = { algorithm: name, ...(place !== undefined && { at: place }) };
    options.report(new Fault(outcome.fault.code, outcome.fault.message), fields);
  };
  const spec = { name, use, options: algorithmOptions, state, directory, maxBatch, device, requireGpu };
  const pool = new WorkerPool(spec, concurrency, {
    log: (level, message, fields) => logger[level](fields, message),
    placed: options.placed,
    room: () => algorithm.pump(),
    lost: (reason) => {
      logger.warn({ reason }, 'a worker was lost and is replaced');
      options.workerLost();
    },
    failed: options.failed,
  });
  const algorithm = new ServedAlgorithm({
    definition: name,
    concurrency,
    maxBatch,
    maxDelayMs,
    timeoutMs: timeoutMs ?? DEFAULT_TIMEOUT_MS,
    instances: pool,
    frames: (invocation) => options.frames.window(invocation),
    ran: options.ran,
    answered: (answer, place) => {
      options.answered(answer);
      reportFailure(answer, place);
    },
  });
  return { algorithm, pool };
}
