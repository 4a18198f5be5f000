/** What a test of `stream-infer up` needs around it: a folder for the file, and systems that are gone with each test. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { startUp, type Up } from './up.ts';

export type UpWorld = {
  /** Where each is started; kept between the tests. */
  readonly directory: string;
  /** Killed with the test, where it still runs. */
  start(...args: string[]): Promise<Up>;
};

/** To be called at the top of a file; what it returns is for use within tests. */
export function upWorld(): UpWorld {
  let directory = '';
  const started: Up[] = [];
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stream-infer-up-'));
  });
  afterEach(async () => {
    const ended = await Promise.allSettled(started.splice(0).map((up) => up.killAll()));
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));
  return {
    get directory() {
      return directory;
    },
    async start(...args) {
      const up = await startUp(args, { cwd: directory });
      started.push(up);
      return up;
    },
  };
}
