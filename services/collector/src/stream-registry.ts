/**
 * The registry of streams as the API writes it. Every write names the revision that it was decided on (D11), so that of two writers who
 * saw the same state one is told that it was late.
 */

import type { Bucket, Entry } from '@stream-infer/bus/bucket';
import type { Bus } from '@stream-infer/bus/bus';
import { busErrorKind } from '@stream-infer/bus/bus-error';
import { openRuns, openStreams } from '@stream-infer/bus/registry';
import { canonicalJson } from '@stream-infer/core/canonical-json';
import type { RegisteredStream } from '@stream-infer/core/registered-stream';
import type { Run } from '@stream-infer/core/run';
import { ApiError } from './api-error.ts';
import { type BucketMirror, mirrorBucket } from './bucket-mirror.ts';
import { refuseUnplayable } from './known-source.ts';
import { etagOf, isMet, type Precondition } from './precondition.ts';
import type { Admission, Neighbour } from './stream-admission.ts';

export type StreamEntry = Entry<RegisteredStream>;

export type Written = {
  readonly entry: StreamEntry;
  /** Revision of what stood there; null where nothing did. */
  readonly before: number | null;
};

export type ReplaceOptions = {
  readonly precondition: Precondition;
  /** What equals what stands there is not written again. */
  readonly ifChanged: boolean;
};

export type StreamRegistry = {
  /** By id. */
  streams(): readonly StreamEntry[];
  stream(id: string): StreamEntry | undefined;
  /** The newest run of a stream. */
  run(id: string): Run | undefined;
  /** Throws STREAM_EXISTS, BUS_NO_ROOM, and what its source that plays makes impossible. */
  create(stream: RegisteredStream): Promise<StreamEntry>;
  /** Makes or replaces a stream, given what stands there. Throws STREAM_CHANGED, BUS_NO_ROOM, and what its source that plays makes impossible. */
  replace(
    id: string,
    options: ReplaceOptions,
    decide: (standing: RegisteredStream | undefined) => RegisteredStream,
  ): Promise<Written>;
  /** The revision of what was removed. Throws UNKNOWN_STREAM and STREAM_CHANGED. */
  remove(id: string, precondition: Precondition): Promise<number>;
  /** Resolves when the signal aborts; rejects where the registry cannot be watched. */
  readonly done: Promise<unknown>;
};

/** How often a write without a precondition is tried where others write at the same time. */
const MOST_TRIES = 20;

/** Resolves when all that stands in the registry is known. */
export async function openStreamRegistry(bus: Bus, admission: Admission, signal: AbortSignal): Promise<StreamRegistry> {
  const [streams, runs] = await Promise.all([openStreams(bus), openRuns(bus)]);
  const streamMirror = mirrorBucket(streams, signal);
  const runMirror = mirrorBucket(runs, signal);
  await Promise.all([streamMirror.current, runMirror.current]);
  return createStreamRegistry(streams, streamMirror, runMirror, admission);
}

function createStreamRegistry(
  streams: Bucket<RegisteredStream>,
  mirror: BucketMirror<RegisteredStream>,
  runs: BucketMirror<Run>,
  admission: Admission,
): StreamRegistry {
  const noted = (value: RegisteredStream, revision: number): StreamEntry => {
    const entry = { key: value.id, value, revision };
    mirror.noted(entry);
    return entry;
  };
  const neighbours = (): Neighbour[] =>
    mirror.entries().map((entry) => ({ stream: entry.value, run: currentRun(entry, runs.get(entry.key)?.value) }));
  let turn: Promise<unknown> = Promise.resolve();
  /** One at a time, so that two do not both take the last room. Undefined where another was quicker. */
  const write = (stream: RegisteredStream, standing: StreamEntry | undefined): Promise<StreamEntry | undefined> => {
    const written = turn.then(async () => {
      refuseUnplayable(stream, runs.get(stream.id)?.value);
      const revision = await asked(async () => {
        await admission(stream, neighbours());
        return standing ? streams.update(stream.id, stream, standing.revision) : streams.create(stream.id, stream);
      });
      return revision === undefined ? undefined : noted(stream, revision);
    });
    turn = written.catch(() => undefined);
    return written;
  };
  return {
    streams: mirror.entries,
    stream: mirror.get,
    run: (id) => runs.get(id)?.value,
    async create(stream) {
      const standing = await asked(() => streams.get(stream.id));
      const entry = standing ? undefined : await write(stream, undefined);
      if (entry === undefined)
        throw new ApiError(
          'STREAM_EXISTS',
          `there is a stream ${stream.id} already: change it with PUT, or give another id`,
        );
      return entry;
    },
    async replace(id, { precondition, ifChanged }, decide) {
      for (let tries = 0; tries < MOST_TRIES; tries += 1) {
        const standing = await asked(() => streams.get(id));
        if (!isMet(precondition, standing?.revision)) throw changed(id, standing);
        const stream = decide(standing?.value);
        if (standing && ifChanged && canonicalJson(stream) === canonicalJson(standing.value))
          return { entry: standing, before: standing.revision };
        const entry = await write(stream, standing);
        if (entry) return { entry, before: standing?.revision ?? null };
      }
      throw new ApiError('STREAM_CHANGED', `stream ${id} is written by others all the time: try again`);
    },
    async remove(id, precondition) {
      for (let tries = 0; tries < MOST_TRIES; tries += 1) {
        const standing = await asked(() => streams.get(id));
        if (standing === undefined) throw new ApiError('UNKNOWN_STREAM', `no stream ${id} is registered`);
        if (!isMet(precondition, standing.revision)) throw changed(id, standing);
        if (await asked(() => streams.delete(id, standing.revision))) {
          mirror.removed(id, standing.revision);
          return standing.revision;
        }
      }
      throw new ApiError('STREAM_CHANGED', `stream ${id} is written by others all the time: try again`);
    },
    done: Promise.all([mirror.done, runs.done]),
  };
}

const changed = (id: string, standing: StreamEntry | undefined): ApiError =>
  new ApiError(
    'STREAM_CHANGED',
    standing === undefined
      ? `there is no stream ${id} any more: leave If-Match out to make it`
      : `stream ${id} is at ${etagOf(standing.revision)} now: read it again, then decide`,
  );

/** The run that the registry tells of, unless what is registered has changed since: then the next is yet to begin. */
export const currentRun = (registered: StreamEntry, run: Run | undefined): Run | undefined =>
  run?.specRevision === registered.revision ? run : undefined;

/** What the bus leaves unanswered is no defect of ours. */
async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (busErrorKind(error) === 'other') throw error;
    throw new ApiError('UNAVAILABLE', 'the registry does not answer: try again once the bus is back');
  }
}
