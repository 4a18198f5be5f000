/**
 * The entry of an algorithm's worker thread: one batch at a time, told and answered by messages. A thread of its own,
 * because ONNX Runtime's `run` blocks the event loop it is called on, and so may an author's code (D7).
 */

import { parentPort, workerData } from 'node:worker_threads';
import { faultJson, toFault } from '@stream-infer/core/fault';
import { StreamInstances } from './stream-instances.ts';
import { WorkerCells } from './worker-cells.ts';
import { createWorkerLogger } from './worker-logger.ts';
import type { BatchAnswer, FromWorker, LogLevel, ToWorker, WorkerData } from './worker-messages.ts';

if (!parentPort) throw new Error('worker.ts is the entry of a worker thread');
const port = parentPort;
const { spec, cells: memory } = workerData as WorkerData;
const cells = new WorkerCells(memory);

const tell = (message: FromWorker, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

const loadNative = process.dlopen.bind(process);
process.dlopen = (...call: Parameters<typeof process.dlopen>): void => {
  cells.markNative();
  loadNative(...call);
};

type RunBatch = Extract<ToWorker, { readonly kind: 'run' }>;

/** Settles when every batch that came is answered. */
let answered = Promise.resolve();

async function run(instances: StreamInstances, { batch, slot, jobs }: RunBatch): Promise<void> {
  if (!cells.claim(slot, batch)) return;
  const answer = await instances.run(jobs, () => cells.draining);
  tell({ kind: 'answer', batch, answer }, buffersOf(answer));
}

const buffersOf = (answer: BatchAnswer): ArrayBuffer[] =>
  answer.kind === 'failed' ? [] : answer.answers.flatMap((one) => (one.kind === 'data' ? [one.data.buffer] : []));

async function obey(instances: StreamInstances, message: ToWorker): Promise<void> {
  switch (message.kind) {
    case 'run':
      // An instance runs one batch at a time (G-12), though the next is here already.
      answered = answered.then(() => run(instances, message));
      return answered;
    case 'forget':
      answered = answered.then(() => instances.forget(message.instance));
      return answered;
    case 'close':
      await instances.close();
      process.exit();
      return;
    case 'leave':
      process.exit();
  }
}

try {
  const logger = createWorkerLogger((level: LogLevel, message, fields) =>
    tell({ kind: 'log', level, message, fields }),
  );
  const instances = await StreamInstances.create(spec, logger, (placement) => tell({ kind: 'placed', placement }));
  // A rejection (of `close`, that is) is an uncaught exception of this thread, and ends it.
  port.on('message', (message: ToWorker) => void obey(instances, message));
  const { version, state } = instances;
  tell({ kind: 'ready', loaded: { version, state } });
} catch (error) {
  tell({ kind: 'failed', fault: faultJson(toFault(error)) });
}
