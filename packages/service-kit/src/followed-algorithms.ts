/**
 * The algorithms of the configuration file as it stands now, for services that go on while the file is replaced under them, as a mounted
 * ConfigMap is. A file that is wrong, or away, is told of once, and what was known before goes on to count. Settings are read at the start alone.
 */

import { readFile } from 'node:fs/promises';
import type { AlgorithmDefinition } from '@stream-infer/core/algorithm-definition';
import { Fault, toFault } from '@stream-infer/core/fault';
import { type LoadedConfiguration, readConfigurationFile } from './configuration-file.ts';

export type FollowedAlgorithms = {
  /** None where there is no configuration. */
  readonly current: () => readonly AlgorithmDefinition[];
  close(): Promise<void>;
};

export type FollowOptions = {
  report(fault: Fault): void;
  /** Called when they have changed. */
  readonly onChange?: () => void;
  readonly everyMs?: number;
};

const EVERY_MS = 2_000;

export function followAlgorithms(
  loaded: LoadedConfiguration | undefined,
  { report, onChange = () => undefined, everyMs = EVERY_MS }: FollowOptions,
): FollowedAlgorithms {
  if (loaded === undefined) return { current: () => [], close: async () => undefined };
  const { path, directory } = loaded;
  let algorithms: readonly AlgorithmDefinition[] = loaded.configuration.algorithms;
  let { text } = loaded;
  let wrong = '';
  const look = async (): Promise<void> => {
    try {
      const found = await readFile(path, 'utf8');
      if (found === text) return;
      const next = await readConfigurationFile(path, directory);
      ({ text } = next);
      ({ algorithms } = next.configuration);
      wrong = '';
      onChange();
    } catch (error) {
      const fault =
        error instanceof Fault ? error : toFault(error, 'CONFIG_NOT_FOUND', `${path} cannot be read any more`);
      if (String(fault) !== wrong) report(fault);
      wrong = String(fault);
    }
  };
  let looking: Promise<void> | undefined;
  const timer = setInterval(() => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
  }, everyMs);
  timer.unref();
  return {
    current: () => algorithms,
    async close() {
      clearInterval(timer);
      await looking;
    },
  };
}
