/** A thread that copies the write-ahead log of one SQLite file into the file, and ends. What keeps it from that is its uncaught error. */

import { DatabaseSync } from 'node:sqlite';
import { workerData } from 'node:worker_threads';

/** `PASSIVE` waits for nobody and holds up nobody; `RESTART` keeps commits out until all is copied. */
export type CheckpointMode = 'PASSIVE' | 'RESTART';

export type CheckpointOrder = { readonly path: string; readonly mode: CheckpointMode };

const { path, mode } = workerData as CheckpointOrder;
const database = new DatabaseSync(path);
try {
  database.exec(`PRAGMA busy_timeout = 5000; PRAGMA synchronous = NORMAL; PRAGMA wal_checkpoint(${mode})`);
} finally {
  database.close();
}
