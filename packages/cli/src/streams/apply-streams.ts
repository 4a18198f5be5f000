/**
 * A list of streams made true: what is missing is added, what differs is changed, and what the same owner had applied before and is not
 * on the list any more is removed. All others are left alone, and so is what would not differ: it plays on.
 */

import { Fault } from '@stream-infer/core/fault';
import type { StreamDefinitionInput } from '@stream-infer/core/stream-definition';
import type { StreamReport } from '@stream-infer/core/stream-report';
import { isRegistered } from './stream-text.ts';
import type { StreamsClient } from './streams-client.ts';

/** Ids, each in the order of the list. */
export type Applied = {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly unchanged: readonly string[];
  readonly removed: readonly string[];
};

/** What to do about a stream of another owner, who is null where it was added alone. */
export type ApplyAdvice = (id: string, owner: string | null) => string;

export type ApplyOptions = { readonly owner: string; readonly advice: ApplyAdvice };

/** Throws STREAM_EXISTS, before anything is written, where a stream is another owner's. */
export async function applyStreams(
  client: StreamsClient,
  definitions: readonly StreamDefinitionInput[],
  { owner, advice }: ApplyOptions,
): Promise<Applied> {
  const standing = new Map((await client.list()).filter(isRegistered).map((stream) => [stream.id, stream]));
  for (const { id } of definitions) {
    const other = standing.get(id);
    if (other && other.owner !== owner) throw foreign(other, owner, advice);
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

const foreign = ({ id, owner: of }: StreamReport, owner: string, advice: ApplyAdvice): Fault =>
  new Fault(
    'STREAM_EXISTS',
    `stream ${id} was ${of === null ? 'added alone' : `applied by ${of}`}, not by ${owner}: ${advice(id, of)}`,
  );
