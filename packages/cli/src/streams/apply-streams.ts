/**
 * A list of streams made true: what is missing is added, what differs is changed, and what the same owner had applied before and is not
 * on the list any more is removed. All others are left alone, and so is what would not differ: it plays on.
 */

import { Fault } from '@stream-infer/core/fault';
import type { StreamDefinitionInput } from '@stream-infer/core/stream-definition';
import type { StreamReport } from '@stream-infer/core/stream-report';
import type { StreamsClient } from './streams-client.ts';

/** Ids, each in the order of the list. */
export type Applied = {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly unchanged: readonly string[];
  readonly removed: readonly string[];
};

/** Throws STREAM_EXISTS, before anything is written, where a stream is another owner's. */
export async function applyStreams(
  client: StreamsClient,
  definitions: readonly StreamDefinitionInput[],
  owner: string,
): Promise<Applied> {
  const standing = new Map((await client.list()).filter(isRegistered).map((stream) => [stream.id, stream]));
  for (const { id } of definitions) {
    const other = standing.get(id);
    if (other && other.owner !== owner) throw foreign(other, owner);
  }
  const applied = {
    added: [] as string[],
    changed: [] as string[],
    unchanged: [] as string[],
    removed: [] as string[],
  };
  for (const definition of definitions) {
    const before = standing.get(definition.id)?.revision ?? undefined;
    const { revision } = await client.put(definition, { owner, revision: before, ifChanged: true });
    const what = before === undefined ? 'added' : before === revision ? 'unchanged' : 'changed';
    applied[what].push(definition.id);
  }
  const listed = new Set(definitions.map(({ id }) => id));
  for (const { id, owner: of, revision } of standing.values()) {
    if (of !== owner || listed.has(id)) continue;
    await client.remove(id, revision ?? undefined);
    applied.removed.push(id);
  }
  return applied;
}

const isRegistered = ({ definition }: StreamReport): boolean => definition !== null;

const foreign = ({ id, owner: of }: StreamReport, owner: string): Fault =>
  new Fault(
    'STREAM_EXISTS',
    `stream ${id} was ${of === null ? 'added alone' : `applied by ${of}`}, not by ${owner}: give it another id, remove it first, or apply with --owner ${of ?? 'NAME'}`,
  );
