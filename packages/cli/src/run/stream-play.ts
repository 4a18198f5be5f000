/**
 * Plays the streams of a plan on a system that runs: registers them, and follows them until each run is complete and stored.
 */

import type { Bus } from '@stream-infer/bus/bus';
import { openStreams } from '@stream-infer/bus/registry';
import { toFault } from '@stream-infer/core/fault';
import type { RunEnd } from '@stream-infer/core/result-record';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import type { CollectorClient } from './collector-client.ts';
import { planNotes } from './run-notes.ts';
import { type RunProgress, watchRuns } from './run-watch.ts';

export type StreamPlay = {
  readonly progress: ReadonlyMap<string, RunProgress>;
  /** By stream id, as they come. */
  readonly ends: ReadonlyMap<string, RunEnd>;
  /** Resolves when every run is complete. Rejects with STORE_FAILED where the collector cannot say. */
  readonly complete: Promise<void>;
  /** Ends every stream where it is; resolves when each run that had begun is complete. Rejects as `complete` does. */
  end(): Promise<void>;
  close(): Promise<void>;
};

export type StreamPlayOptions = {
  readonly specs: readonly StreamSpec[];
  /** Streams that the registry has are left as they are: their runs go on. */
  readonly resume: boolean;
  readonly collector: CollectorClient;
  /** What was decided for the user, one line each. */
  readonly onNotice: (notice: string) => void;
};

export async function playStreams(bus: Bus, options: StreamPlayOptions): Promise<StreamPlay> {
  const { specs, resume, collector, onNotice } = options;
  const ends = new Map<string, RunEnd>();
  const complete = Promise.withResolvers<void>();
  complete.promise.catch(() => undefined);
  const stopping = new AbortController();
  const follows = new Map<string, Promise<void>>();
  const followToEnd = async (stream: string, run: string): Promise<void> => {
    ends.set(stream, await collector.runEnd(stream, run, stopping.signal));
    if (ends.size === specs.length) complete.resolve();
  };
  const follow = (stream: string): Promise<void> => {
    const run = watch.progress.get(stream)?.run;
    const following = follows.get(stream) ?? (run === undefined ? Promise.resolve() : followToEnd(stream, run));
    follows.set(stream, following);
    return following;
  };
  const watch = await watchRuns(
    bus,
    specs.map(({ id }) => id),
    {
      onPlaying: (stream, { notices, source }) => {
        const spec = specs.find(({ id }) => id === stream);
        for (const notice of [...notices, ...(spec ? planNotes(spec, source) : [])]) onNotice(notice);
      },
      onOver: (stream) => void follow(stream).catch(complete.reject),
      onFailed: (error) => complete.reject(toFault(error, 'BUS_FAILED', 'the runs cannot be followed')),
    },
  );
  const streams = await openStreams(bus);
  await Promise.all(
    specs.map(async (spec) => {
      if (!resume || (await streams.get(spec.id)) === undefined) await streams.put(spec.id, { ...spec, once: true });
    }),
  );
  return {
    progress: watch.progress,
    ends,
    complete: complete.promise,
    async end() {
      await Promise.all(specs.map(({ id }) => streams.delete(id)));
      const begun = [...watch.progress].filter(([, { playing, isOver }]) => playing !== undefined || isOver);
      await Promise.all(begun.map(([stream]) => follow(stream)));
    },
    async close() {
      stopping.abort();
      await watch.close();
    },
  };
}
