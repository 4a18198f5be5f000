/** What the tests start: the sources, or what is compiled of them where STREAM_INFER_PROGRAMS names its folder (`make test-compiled`). */

import { join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');

const compiled = process.env.STREAM_INFER_PROGRAMS;

export const serviceEntry = (service: string): string =>
  compiled === undefined
    ? join(root, 'services', service, 'src', 'main.ts')
    : join(root, compiled, 'services', service, 'src', 'main.js');

/** The command and its first arguments. */
export const commandEntry = (): readonly [string, ...string[]] =>
  compiled === undefined
    ? [join(root, 'stream-infer')]
    : [process.execPath, join(root, compiled, 'packages', 'cli', 'src', 'main.js')];
