/** What `up` is to start, all of it checked before anything is: the algorithms of the installation, and the streams to begin with. */

import { resolve } from 'node:path';
import type { Configuration } from '@stream-infer/core/configuration';
import { parseValue } from '@stream-infer/core/configuration-fault';
import { Fault } from '@stream-infer/core/fault';
import { resolveStreams } from '@stream-infer/core/resolve-streams';
import { SERVICE_SETTINGS } from '@stream-infer/core/settings';
import type { StreamDefinition } from '@stream-infer/core/stream-definition';
import { readConfigurationFile } from '@stream-infer/service-kit/configuration-file';
import { parseAlgorithmFlag } from '../algorithm-flag.ts';
import type { UpOptions } from '../command-line.ts';
import { anchorPaths, count, refuseTwice } from '../run/run-plan.ts';
import { anchored } from '../streams/stream-source.ts';

export type UpPlan = {
  /** For the services; it lists no streams. */
  readonly configuration: Configuration;
  /** Its relative paths are relative to this. */
  readonly directory: string;
  /** With absolute sources; undefined where no file tells which there are to be. */
  readonly streams: readonly StreamDefinition[] | undefined;
  readonly runners: number;
  readonly apiPort: number;
  /** Absolute. */
  readonly data: string | undefined;
  /** Absolute; as the configuration or the data folder says where it is not given. */
  readonly storePath: string | undefined;
};

const API_PORT = 8080;
const MOST_RUNNERS = 64;

/** @param cwd where the command was given. Throws a fault of the command line or the configuration. */
export async function planUp(options: UpOptions, cwd: string): Promise<UpPlan> {
  const algorithms = options.algorithm.map(parseAlgorithmFlag);
  refuseTwice(algorithms);
  if (options.config === undefined && algorithms.length === 0)
    throw new Fault(
      'USAGE',
      'up needs to know which algorithms there are: add --config FILE, or --algorithm stats=frame-stats,interval=1',
    );
  const loaded = options.config === undefined ? undefined : await readConfigurationFile(options.config);
  const directory = loaded?.directory ?? cwd;
  const replaced = algorithms.map((algorithm) => anchorPaths(algorithm, cwd, directory));
  const names = new Set(replaced.map(({ name }) => name));
  const configuration: Configuration = {
    streams: [],
    ...loaded?.configuration,
    algorithms: [...(loaded?.configuration.algorithms ?? []).filter(({ name }) => !names.has(name)), ...replaced],
  };
  resolveStreams(configuration, (path) => resolve(directory, path));
  return {
    configuration: { ...configuration, streams: [] },
    directory,
    streams: loaded && configuration.streams.map((stream) => anchored(stream, directory)),
    runners: options.runners === undefined ? 1 : count('--runners', options.runners, MOST_RUNNERS),
    apiPort:
      options.http === undefined
        ? (configuration.collector?.apiPort ?? API_PORT)
        : parseValue(SERVICE_SETTINGS.collector.shape.apiPort, options.http, '--http'),
    data: options.data === undefined ? undefined : resolve(cwd, options.data),
    storePath: options.store === undefined ? undefined : resolve(cwd, options.store),
  };
}
