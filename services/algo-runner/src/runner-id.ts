/** What a runner is called in the registry: its host, its process and chance, so that a restarted one is another. */

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { nameFrom } from '@stream-infer/core/names';

/** A name as names.ts has it: `<host>-<process>-<four hex digits>`. */
export const createRunnerId = (): string =>
  `${nameFrom(hostname()).slice(0, 48)}-${process.pid}-${randomBytes(2).toString('hex')}`;
