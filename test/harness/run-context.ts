/** The context of an algorithm that is called directly. */
import { resolve } from 'node:path';
import type { Json, RunContext } from '@stream-infer/algorithm';

const silent = (): void => undefined;

/** Relative paths of the options are relative to the working directory. */
export const runContext = (options: Readonly<Record<string, Json>>, name = 'detector'): RunContext => ({
  name,
  options,
  logger: { debug: silent, info: silent, warn: silent, error: silent },
  resolvePath: (path) => resolve(path),
  stream: 'video',
  n: 1,
  key: '0',
  inputs: {},
});
