/**
 * Records as they are stored, a line each, while streams play: who follows the file sees them at once, and what was written is there
 * however the run ends. Of one stream and algorithm they come in order (I4); what stands in the file in the end, and in which
 * order, is for results-output.ts to say.
 */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { type Fault, toFault } from '@stream-infer/core/fault';
import type { CollectorClient } from './collector-client.ts';
import type { FeedEvent } from './collector-feed.ts';
import { type OutputTarget, unwritable } from './output-target.ts';
import { standardOutput } from './standard-output.ts';

/** What stands in the output, byte for byte. */
export type LiveLines = { readonly sha256: string };

export type LiveResults = {
  /** Resolves where nothing more can be written: a fault, or `unread` where the reader of standard output is gone. */
  readonly failed: Promise<Fault | 'unread'>;
  /** Takes what is on its way until the ends of these streams have come, then stops. Undefined where no record came. */
  finish(streams: Iterable<string>): Promise<LiveLines | undefined>;
};

/** The ends are stored already when they are waited for. */
const FINISH_LIMIT_MS = 5_000;

/** Resolves once no record can be missed. Rejects with STORE_FAILED. */
export async function startLiveResults(
  target: Extract<OutputTarget, { kind: 'file' | 'stdout' }>,
  collector: Pick<CollectorClient, 'events'>,
): Promise<LiveResults> {
  const stopping = new AbortController();
  const failed = Promise.withResolvers<Fault | 'unread'>();
  const name = target.kind === 'file' ? target.path : 'standard output';
  const hash = createHash('sha256');
  const ended = new Set<string>();
  let sawEnd = Promise.withResolvers<void>();
  let sink: Writable | undefined;
  // An earlier run's file stays until there is something to put in its place.
  const open = (): Writable => {
    const opened: Writable =
      target.kind === 'file' ? createWriteStream(target.path) : standardOutput(() => failed.resolve('unread'));
    opened.on('error', (error) => {
      failed.resolve(unwritable(name, error));
      stopping.abort();
    });
    return opened;
  };
  const append = async (event: FeedEvent): Promise<void> => {
    if (stopping.signal.aborted) return;
    if (event.kind === 'end') {
      ended.add(event.stream);
      sawEnd.resolve();
      sawEnd = Promise.withResolvers();
      return;
    }
    sink ??= open();
    const line = `${event.text}\n`;
    hash.update(line);
    if (!sink.write(line)) await once(sink, 'drain', { signal: stopping.signal });
  };
  const events = await collector.events(stopping.signal);
  const following = (async () => {
    for await (const event of events) await append(event);
  })().catch((error: unknown) => {
    if (!stopping.signal.aborted) failed.resolve(toFault(error, 'STORE_FAILED', 'results cannot be followed'));
  });
  return {
    failed: failed.promise,
    async finish(streams) {
      const timeLimit = AbortSignal.any([stopping.signal, AbortSignal.timeout(FINISH_LIMIT_MS)]);
      const limit = wait(FINISH_LIMIT_MS, undefined, { signal: timeLimit }).catch(() => undefined);
      for (const stream of streams)
        while (!ended.has(stream) && !timeLimit.aborted) await Promise.race([sawEnd.promise, following, limit]);
      stopping.abort();
      if (!sink) return undefined;
      const { promise, resolve } = Promise.withResolvers<void>();
      sink.once('close', resolve).end();
      if (sink.closed) resolve();
      await promise;
      return { sha256: hash.digest('hex') };
    },
  };
}
