/** Names of a configuration refer to each other: each stands for one thing, and what a stream lists exists. */

import type { Configuration } from './configuration.ts';
import { Fault } from './fault.ts';
import { nearestKey } from './nearest-key.ts';
import type { StreamDefinition } from './stream-definition.ts';
import { upstreamFirst, upstreamNames } from './upstream.ts';

/** Throws CONFIG_DUPLICATE_NAME, CONFIG_UNKNOWN_ALGORITHM, or CONFIG_INVALID where algorithms come after each other in a circle. */
export function checkNames({ algorithms, streams }: Configuration, where: string): void {
  const definitions = algorithms.map(({ name }) => name);
  refuseDuplicate(definitions, (name, first, second) => {
    return `${where}: algorithms[${first}] and algorithms[${second}] are both named ${name}: give each a name of its own`;
  });
  upstreamFirst(
    algorithms.map(({ name, after }) => ({ name, after: upstreamNames(after) })),
    where,
  );
  checkStreamIds(streams, where);
  for (const [index, stream] of streams.entries())
    checkAlgorithmList(stream, definitions, `${where}: streams[${index}].algorithms`);
}

/** Throws CONFIG_DUPLICATE_NAME. */
export function checkStreamIds(streams: readonly Pick<StreamDefinition, 'id'>[], where: string): void {
  refuseDuplicate(
    streams.map(({ id }) => id),
    (id, first, second) =>
      `${where}: streams[${first}] and streams[${second}] both have the id ${id}: give each its own`,
  );
}

/**
 * The list of one stream against the algorithms that there are. Throws CONFIG_DUPLICATE_NAME or CONFIG_UNKNOWN_ALGORITHM.
 * @param where names the list.
 */
export function checkAlgorithmList(
  { algorithms }: Pick<StreamDefinition, 'algorithms'>,
  definitions: readonly string[],
  where: string,
): void {
  if (!algorithms) return;
  const listed = algorithms.map((entry) => (typeof entry === 'string' ? { name: entry } : entry));
  for (const [index, { name }] of listed.entries()) {
    if (definitions.includes(name)) continue;
    const nearest = nearestKey(name, definitions);
    throw new Fault(
      'CONFIG_UNKNOWN_ALGORITHM',
      `${where}[${index}] is ${name}, which algorithms does not define: ${nearest ? `did you mean ${nearest}? ` : ''}it defines ${definitions.join(', ')}`,
    );
  }
  refuseDuplicate(
    listed.map((entry) => ('as' in entry && entry.as) || entry.name),
    (name, first, second) =>
      `${where}[${first}] and [${second}] both give results named ${name}: name one of them with "as"`,
  );
}

function refuseDuplicate(
  names: readonly string[],
  message: (name: string, first: number, second: number) => string,
): void {
  const seen = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    const first = seen.get(name);
    if (first !== undefined) throw new Fault('CONFIG_DUPLICATE_NAME', message(name, first, index));
    seen.set(name, index);
  }
}
