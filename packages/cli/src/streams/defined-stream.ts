/** The definition of one stream out of what the command line gives: an id and a source, a file, or what stands; over it the flags. */

import { dirname } from 'node:path';
import { parseValue } from '@stream-infer/core/configuration-fault';
import { Fault } from '@stream-infer/core/fault';
import { type StreamDefinitionInput, streamDefinitionSchema } from '@stream-infer/core/stream-definition';
import { readYamlFile } from '@stream-infer/service-kit/configuration-file';
import { streamFlags } from '../run/run-plan.ts';
import { parseStreamAlgorithmFlag } from './stream-algorithm-flag.ts';
import { anchored } from './stream-source.ts';
import type { DefinitionOptions, StreamsAction, UpdateOptions } from './streams-arguments.ts';

/** @param cwd where the command was given. Throws a fault of the command line or the configuration. */
export async function addedStream(
  { named, options }: Extract<StreamsAction, { action: 'add' }>,
  cwd: string,
): Promise<StreamDefinitionInput> {
  const flags = flagged(options);
  if (named) {
    const [id, source] = named;
    return anchored(parseValue(streamDefinitionSchema, { id, source, ...flags }, `stream ${id}`), cwd);
  }
  return { ...(await streamOfFile(options.file ?? '')), ...flags };
}

/** @param standing what is registered. */
export async function updatedStream(
  standing: StreamDefinitionInput,
  options: UpdateOptions,
  cwd: string,
): Promise<StreamDefinitionInput> {
  const { id } = standing;
  const { file, source } = options;
  if (file === undefined)
    return { ...(source === undefined ? standing : resourced(standing, source, cwd)), ...flagged(options) };
  const defined = await streamOfFile(file);
  if (defined.id !== id) throw new Fault('USAGE', `${file} defines stream ${defined.id}, and ${id} is to be updated`);
  return { ...(source === undefined ? defined : resourced(defined, source, cwd)), ...flagged(options) };
}

function resourced(definition: StreamDefinitionInput, source: string, cwd: string): StreamDefinitionInput {
  const { sourceFrom: _sourceFrom, ...rest } = definition;
  return anchored({ ...rest, source }, cwd);
}

async function streamOfFile(file: string): Promise<StreamDefinitionInput> {
  return anchored(parseValue(streamDefinitionSchema, await readYamlFile(file), file), dirname(file));
}

function flagged(options: DefinitionOptions): Partial<StreamDefinitionInput> {
  const algorithms = options.algorithm.map(parseStreamAlgorithmFlag);
  return { ...streamFlags(options), ...(algorithms.length > 0 && { algorithms }) };
}
