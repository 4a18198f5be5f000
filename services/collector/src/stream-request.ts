/** From the body of a request to an entry of the registry: the schema of the configuration, and what only a file on disk may say left out. */

import { isAbsolute } from 'node:path';
import type { AlgorithmDefinition } from '@stream-infer/core/algorithm-definition';
import { parseValue } from '@stream-infer/core/configuration-fault';
import { checkAlgorithmList } from '@stream-infer/core/configuration-names';
import { Fault } from '@stream-infer/core/fault';
import { isRedacted, redactUrl } from '@stream-infer/core/redact-url';
import type { RegisteredStream } from '@stream-infer/core/registered-stream';
import { resolveStream } from '@stream-infer/core/resolve-streams';
import { refusedByKind } from '@stream-infer/core/source-refusal';
import { streamDefinitionSchema } from '@stream-infer/core/stream-definition';

export type StreamRequest = {
  readonly body: unknown;
  /** Of the path, where it names the stream; the body may leave it out then. */
  readonly id?: string;
  readonly owner?: string | undefined;
  /** The algorithms of the installation. */
  readonly algorithms: readonly AlgorithmDefinition[];
  /** What its ingests may open (`sources.allow`); undefined where they alone know. */
  readonly allow: readonly string[] | undefined;
  /** Its source may be one in which the password is left out, for withRegisteredSource to put it back. */
  readonly mayLeaveOut?: boolean;
};

/** Throws CONFIG_UNKNOWN_KEY, CONFIG_INVALID, CONFIG_UNKNOWN_ALGORITHM, CONFIG_DUPLICATE_NAME, SOURCE_FORBIDDEN, or what resolveStream throws. */
export function requestedStream({ body, id, owner, algorithms, allow, mayLeaveOut }: StreamRequest): RegisteredStream {
  const named = id === undefined ? 'the stream' : `stream ${id}`;
  const definition = parseValue(streamDefinitionSchema, id === undefined ? body : withId(body, id), named);
  const where = `stream ${definition.id}`;
  if (id !== undefined && definition.id !== id)
    throw invalid(named, `id is "${definition.id}": it must be ${id}, as the path says, or left out`);
  if (definition.source !== undefined && isRedacted(definition.source) && !mayLeaveOut)
    throw leftOut(where, definition.source);
  if (algorithms.length === 0)
    throw new Fault(
      'CONFIG_UNKNOWN_ALGORITHM',
      'the collector knows of no algorithm: set STREAM_INFER_CONFIG to the configuration file of the installation',
    );
  checkAlgorithmList(
    definition,
    algorithms.map(({ name }) => name),
    `${where}: algorithms`,
  );
  const refusal =
    definition.source === undefined || allow === undefined ? undefined : refusedByKind(definition.source, allow);
  if (refusal) throw new Fault(refusal.code, `${where}: ${refusal.message}`);
  return {
    ...resolveStream(definition, algorithms, (path) => absolutePath(where, path)),
    ...(owner !== undefined && { owner }),
  };
}

/**
 * What an answer shows in place of a source with a password stands for that source. Throws CONFIG_INVALID where it is not what is shown of the
 * registered one.
 */
export function withRegisteredSource(
  stream: RegisteredStream,
  registered: RegisteredStream | undefined,
): RegisteredStream {
  if (stream.source === undefined || !isRedacted(stream.source)) return stream;
  if (registered?.source === undefined || redactUrl(registered.source) !== stream.source)
    throw leftOut(`stream ${stream.id}`, stream.source);
  return { ...stream, source: registered.source };
}

const leftOut = (where: string, source: string): Fault =>
  invalid(
    where,
    `source is "${redactUrl(source)}", in which the password is left out: it must be the whole URL, or sourceFrom in its place; put back with If-Match as it is shown of the registered one, it stands for that`,
  );

const invalid = (where: string, what: string): Fault => new Fault('CONFIG_INVALID', `${where}: ${what}`);

const withId = (body: unknown, id: string): unknown =>
  typeof body === 'object' && body !== null && !Array.isArray(body) && !Object.hasOwn(body, 'id')
    ? { ...body, id }
    : body;

/** Who asks and who plays share no folder that a path could be relative to. */
function absolutePath(where: string, path: string): string {
  if (isAbsolute(path) || /^file:\/\/\//i.test(path)) return path;
  throw invalid(where, `source ${JSON.stringify(path)} is relative: it must be an absolute path, a device or a URL`);
}
