/**
 * Plays the streams of a plan on a system that runs: registers them, follows them until each run is complete and stored, and takes
 * them out again where they are to end early.
 */

import type { Bus } from '@stream-infer/bus/bus';
import { openStreams } from '@stream-infer/bus/registry';
import type { RunEnd } from '@stream-infer/core/result-record';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import type { CollectorClient } from './collector-client.ts';
import { type RunProgress, watchRuns } from './run-watch.ts';

export type StreamPlay = {
  readonly progress: ReadonlyMap<string, RunProgress>;
  /** By stream id, as they come. */
  readonly ends: ReadonlyMap<string, RunEnd>;
  /** Resolves when every run is complete. Rejects with STORE_FAILED where the collector cannot say. */
  readonly complete: Promise<void>;
  /** Takes the streams out of the registry: each ingest stops, and what is under way is finished. */
  withdraw(): Promise<void>;
  close(): Promise<void>;
};

export type StreamPlayOptions = {
  readonly specs: readonly StreamSpec[];
  readonly collector: CollectorClient;
  /** What was decided for the user, one line each. */
  readonly onNotice: (notice: string) => void;
};

export async function playStreams(bus: Bus, { specs, collector, onNotice }: StreamPlayOptions): Promise<StreamPlay> {
  const ends = new Map<string, RunEnd>();
  const complete = Promise.withResolvers<void>();
  complete.promise.catch(() => undefined);
  const stopping = new AbortController();
  const follow = async (stream: string): Promise<void> => {
    const run = watch.progress.get(stream)?.run;
    if (run === undefined) return;
    ends.set(stream, await collector.runEnd(stream, run, stopping.signal));
    if (ends.size === specs.length) complete.resolve();
  };
  const watch = await watchRuns(
    bus,
    specs.map(({ id }) => id),
    {
      onPlaying: (_, { notices }) => notices.forEach(onNotice),
      onOver: (stream) => void follow(stream).catch(complete.reject),
    },
  );
  const streams = await openStreams(bus);
  await Promise.all(specs.map((spec) => streams.put(spec.id, spec)));
  return {
    progress: watch.progress,
    ends,
    complete: complete.promise,
    withdraw: async () => void (await Promise.all(specs.map(({ id }) => streams.delete(id)))),
    async close() {
      stopping.abort();
      await watch.close();
    },
  };
}
