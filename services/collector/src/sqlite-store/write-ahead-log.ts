/**
 * Brings the write-ahead log of a SQLite file to the disk without holding up the thread that commits. `sync` makes durable what is committed, in
 * Node.js's thread pool; once the log has grown, a thread of its own copies it into the file, after which SQLite begins the log anew.
 *
 * What an earlier life left in the log is copied soon after the start, however little it is. So what a checkpoint leaves in the process is there from the
 * beginning, and does not look like a leak hours later: the memory of a thread that has ended, and a descriptor of the file, which SQLite
 * cannot close while another connection of the process holds locks on it, and gives to the next one.
 *
 * SQLite's own checkpoint is part of a commit, and waits for the disk there: seconds, where others write much to the same disk.
 */

import { open, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Fault } from '@stream-infer/core/fault';
import type { CheckpointOrder } from './checkpoint.ts';

export type WriteAheadLog = {
  /** All that is committed is then where a power cut leaves it. Rejects with the errors of the file system. */
  sync(): Promise<void>;
  /** Waits for a checkpoint that is under way. Idempotent; to be called before the database is closed, which removes the log. */
  close(): Promise<void>;
};

export type WriteAheadLogOptions = {
  /** Of the database. */
  readonly path: string;
  /** Told of a checkpoint that failed, and is tried again; of the same one once. */
  report(fault: Fault): void;
};

/** Of a database in memory. */
export const NO_LOG: WriteAheadLog = { sync: async () => undefined, close: async () => undefined };

const LOOK_MS = 1_000;
/** So much is read again by who opens the file after a crash, and is taken from the disk for good. */
const CHECKPOINT_BYTES = 32 * 1024 * 1024;
/** Commits came faster than they were copied: they wait for the rest. */
const RESTART_BYTES = 4 * CHECKPOINT_BYTES;
/** Beside this file, and like it TypeScript or compiled. */
const ENTRY = new URL(`./checkpoint${extname(fileURLToPath(import.meta.url))}`, import.meta.url);

export function openWriteAheadLog({ path, report }: WriteAheadLogOptions): WriteAheadLog {
  const file = `${path}-wal`;
  let checkpointing: Promise<void> | undefined;
  let begun = false;
  let told = '';

  const look = async (): Promise<void> => {
    const { size } = await stat(file);
    if (begun && size < CHECKPOINT_BYTES) return;
    await checkpoint({ path, mode: size < RESTART_BYTES ? 'PASSIVE' : 'RESTART' });
    begun = true;
    told = '';
  };
  const tell = (error: unknown): void => {
    const reason = error instanceof Error ? error.message : String(error);
    if (reason === told) return;
    told = reason;
    report(
      new Fault(
        'STORE_FAILED',
        `the log of the result store ${path} cannot be taken into the file: ${reason}: it grows until it can be, which is tried each second`,
        { cause: error },
      ),
    );
  };
  const timer = setInterval(() => {
    checkpointing ??= look()
      .catch(tell)
      .finally(() => {
        checkpointing = undefined;
      });
  }, LOOK_MS);
  timer.unref();

  return {
    async sync() {
      await using log = await open(file, 'r+');
      await log.datasync();
    },
    async close() {
      clearInterval(timer);
      await checkpointing;
    },
  };
}

function checkpoint(order: CheckpointOrder): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(ENTRY, { workerData: order, name: 'checkpoint' });
    worker.once('error', reject);
    worker.once('exit', () => resolve());
  });
}
