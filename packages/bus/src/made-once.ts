/**
 * Services that start together make the same streams. Of two that make one at once, an older server may refuse the second, saying that its subjects
 * overlap with a stream, before that stream is there to be found: a moment later it is.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '@stream-infer/core/fault';
import { busErrorKind } from './bus-error.ts';

const TRIES = 20;
const PAUSE_MS = 100;

/**
 * @param name of the stream. @param make makes it, or finds it.
 * Throws BUS_FAILED where its subjects are another stream's for good; else rejects as `make` does.
 */
export async function madeOnce<T>(name: string, make: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await make();
    } catch (error) {
      if (busErrorKind(error) !== 'overlap') throw error;
      if (tries === TRIES) throw overlap(name, error);
      await sleep(PAUSE_MS);
    }
  }
}

const overlap = (name: string, cause: unknown): Fault =>
  new Fault(
    'BUS_FAILED',
    `stream ${name} cannot be made, since another stream of this NATS server has its subjects: remove that one, or set natsPrefix to a prefix of this installation's own`,
    { cause },
  );
