/**
 * The folder in which a system keeps what outlives it: nats-server's store, and the results. One system works in it at a time: two
 * servers on one store would destroy it.
 */

import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Fault } from '@stream-infer/core/fault';
import { unwritable } from '../run/output-target.ts';
import { type ServerStore, serverStore } from '../system/nats-server.ts';

export type DataFolder = {
  readonly server: ServerStore;
  readonly storePath: string;
  /** Lets another system have it. */
  release(): Promise<void>;
};

/** Makes the folder where there is none. Throws OUTPUT_UNWRITABLE and DATA_IN_USE. */
export async function openDataFolder(path: string): Promise<DataFolder> {
  const folder = resolve(path);
  const lock = join(folder, 'up.pid');
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await take(lock, folder);
    return {
      server: { directory: join(folder, 'nats'), resultsMaxBytes: await keptLimit(folder) },
      storePath: join(folder, 'results.sqlite'),
      release: () => rm(lock, { force: true }),
    };
  } catch (error) {
    throw error instanceof Fault ? error : unwritable(folder, error);
  }
}

async function take(lock: string, folder: string): Promise<void> {
  for (;;) {
    try {
      const file = await open(lock, 'wx');
      await file.writeFile(String(process.pid));
      await file.close();
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const pid = Number(await readFile(lock, 'utf8').catch(() => ''));
    if (await isUp(pid))
      throw new Fault(
        'DATA_IN_USE',
        `${folder} is the data of process ${pid}, which runs: stop it first, or give another --data`,
      );
    await rm(lock, { force: true });
  }
}

/** Whether the process that left its number there runs. The number may have become another's, where the system can tell. */
async function isUp(pid: number): Promise<boolean> {
  if (!Number.isInteger(pid) || pid < 1 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  return command === undefined || command.split('\0').some((word) => word === 'up' || word === 'run');
}

/** The limit of the results is chosen once: a server would not open a store again that is larger than it may be. */
async function keptLimit(folder: string): Promise<number> {
  const file = join(folder, 'results-max-bytes');
  const kept = Number(await readFile(file, 'utf8').catch(() => ''));
  if (Number.isInteger(kept) && kept > 0) return kept;
  const { resultsMaxBytes } = await serverStore(folder, folder);
  await writeFile(file, String(resultsMaxBytes));
  return resultsMaxBytes;
}
