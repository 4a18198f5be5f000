/**
 * How the commands of whoever started it reach the bus of a system that is up with a data folder: a file in the folder, which its owner
 * alone may read. Its user is the operator's, who may do what `dead-letters` does.
 */

import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BusOptions } from '@stream-infer/bus/bus';
import { Fault } from '@stream-infer/core/fault';
import { unwritable } from '../run/output-target.ts';

export type BusPlace = Pick<BusOptions, 'url' | 'prefix' | 'access'>;

const pathIn = (folder: string): string => join(folder, 'bus.json');

/** Throws OUTPUT_UNWRITABLE. */
export async function writeBusFile(folder: string, { url, prefix, access }: BusPlace): Promise<void> {
  const path = pathIn(folder);
  try {
    // The mode is that of a file that is made.
    await removeBusFile(folder);
    await writeFile(path, JSON.stringify({ url, prefix, access }), { mode: 0o600 });
  } catch (error) {
    throw unwritable(path, error);
  }
}

export const removeBusFile = (folder: string): Promise<void> => rm(pathIn(folder), { force: true });

/** Throws NATS_UNREACHABLE where no system is up with the folder. */
export async function readBusFile(folder: string): Promise<BusPlace> {
  const path = pathIn(folder);
  try {
    return JSON.parse(await readFile(path, 'utf8')) as BusPlace;
  } catch (error) {
    const problem = `${path} cannot be read: no system is up with the data folder ${folder}, or it is another user's`;
    throw new Fault('NATS_UNREACHABLE', `${problem}: start it with stream-infer up --data ${folder}`, { cause: error });
  }
}
