/** A file's list of streams, as the API takes them, and whose it is. */

import { dirname, resolve } from 'node:path';
import { streamListSchema } from '@stream-infer/core/configuration';
import { parseValue } from '@stream-infer/core/configuration-fault';
import { checkNames, checkStreamIds } from '@stream-infer/core/configuration-names';
import { definitionOf, ownerSchema } from '@stream-infer/core/registered-stream';
import { resolveStreams } from '@stream-infer/core/resolve-streams';
import type { StreamDefinitionInput } from '@stream-infer/core/stream-definition';
import { readYamlFile } from '@stream-infer/service-kit/configuration-file';
import { anchored } from './stream-source.ts';

const DEFAULT_OWNER = 'cli';

/** Throws CONFIG_INVALID. */
export const ownerOf = (given: string | undefined): string =>
  parseValue(ownerSchema, given ?? DEFAULT_OWNER, '--owner');

/**
 * Where the file has algorithms as well, their schedule is written into each stream: it holds whatever the installation was started with, and
 * even while that is being replaced. Throws a fault of the configuration.
 */
export async function readStreamList(file: string): Promise<readonly StreamDefinitionInput[]> {
  const { algorithms, streams } = parseValue(streamListSchema, await readYamlFile(file), file);
  const directory = dirname(file);
  if (algorithms === undefined) {
    checkStreamIds(streams, file);
    return streams.map((stream) => anchored(stream, directory));
  }
  const configuration = { algorithms, streams: streams.map((stream) => anchored(stream, directory)) };
  checkNames(configuration, file);
  return resolveStreams(configuration, (path) => resolve(directory, path)).map(definitionOf);
}
