/** A folder for the models that a test file writes. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

export type ModelFolder = {
  readonly path: string;
  /** Resolves with the path of what is written. */
  write(name: string, content: Uint8Array | string): Promise<string>;
};

/** To be called at the top of a file; what it returns is for use within tests. */
export function modelFolder(): ModelFolder {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stream-infer-models-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return {
    get path() {
      return folder;
    },
    async write(name, content) {
      const path = join(folder, name);
      await writeFile(path, content);
      return path;
    },
  };
}
