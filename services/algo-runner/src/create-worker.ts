/** The start of an algorithm's worker thread, which the system may refuse: threads and processes count alike. */

import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Fault } from '@stream-infer/core/fault';
import type { WorkerData } from './worker-messages.ts';

/** Beside this file, and like it TypeScript or compiled. */
const ENTRY = new URL(`./worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url);

/** Throws THREAD_REFUSED where the system starts none. */
export function createWorker(data: WorkerData): Worker {
  const { name } = data.spec;
  try {
    return new Worker(ENTRY, { workerData: data, name });
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_WORKER_INIT_FAILED') throw error;
    const problem = `algorithm "${name}": the system starts no thread for it (${error.message})`;
    const advice =
      'the limit of processes is reached: look for a module that starts some and does not end them, or raise it';
    throw new Fault('THREAD_REFUSED', `${problem}: ${advice}`, { cause: error });
  }
}
