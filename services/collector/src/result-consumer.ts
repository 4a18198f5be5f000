/**
 * From the bus into the store: batches, each committed and then acknowledged (I5, EX-7). A batch that comes again changes nothing. The
 * loop turns at least once a second while the bus is there, and at every attempt while it is not (I7).
 */

import type { Bus } from '@stream-infer/bus/bus';
import { type ResultBatch, readResults } from '@stream-infer/bus/result-reader';
import { Fault } from '@stream-infer/core/fault';
import type { Logger } from '@stream-infer/service-kit/logger';
import type { EventFeed } from './event-feed.ts';
import type { CollectorMetrics } from './metrics.ts';
import type { ResultTrimmer } from './result-trimmer.ts';
import type { ResultWriter, StoreOutcome } from './result-writer.ts';
import { RANK, type StoreItem, storeItem } from './store-item.ts';

export type ResultConsumer = {
  /** Whether messages come. */
  consuming(): boolean;
  /** Milliseconds since the loop last turned. */
  idleMs(): number;
  /** Ends when it is stopped; rejects with BUS_FAILED, or with the error of a store that cannot be written. */
  readonly done: Promise<void>;
};

export type ResultConsumerOptions = {
  readonly bus: Bus;
  readonly store: ResultWriter;
  readonly feed: EventFeed;
  readonly trimmer: ResultTrimmer;
  readonly metrics: CollectorMetrics;
  readonly logger: Logger;
  readonly resultsMaxBytes: number;
  readonly signal: AbortSignal;
};

export function startResultConsumer(options: ResultConsumerOptions): ResultConsumer {
  const { bus, store, trimmer, resultsMaxBytes, logger, signal } = options;
  let consuming = false;
  let turnedAtMs = performance.now();
  const run = async (): Promise<void> => {
    const readings = readResults(bus, { maxBytes: resultsMaxBytes, from: (stream) => store.resume(stream), signal });
    for await (const reading of readings) {
      turnedAtMs = performance.now();
      if (reading.kind === 'batch') {
        takeBatch(options, reading);
        continue;
      }
      if (reading.kind === 'open') trimmer.reopened();
      if (reading.kind === 'broken' && consuming) logger.warn({ reason: reading.reason }, 'reading results anew');
      consuming = reading.kind !== 'broken';
    }
    consuming = false;
    if (!signal.aborted)
      throw new Fault('BUS_FAILED', 'the server closed the connection to NATS for good: see its log');
  };
  return {
    consuming: () => consuming,
    idleMs: () => performance.now() - turnedAtMs,
    done: run(),
  };
}

function takeBatch({ store, feed, trimmer, metrics, logger }: ResultConsumerOptions, batch: ResultBatch): void {
  const items = batch.messages.flatMap((message) => storeItem(message) ?? []);
  const sequence = batch.messages.at(-1)?.sequence ?? 0;
  const stopTimer = metrics.commitSeconds.startTimer();
  const outcomes = store.commit({ items, sequence }, Date.now());
  stopTimer();
  batch.acknowledge();
  feed.notify();
  for (const message of batch.messages) trimmer.stored(message);
  for (const [index, item] of items.entries()) countItem(metrics, item, outcomes[index] ?? 'duplicate');
  metrics.pending.set(batch.pending);
  const unreadable = batch.messages.length - items.length;
  if (unreadable === 0) return;
  metrics.unreadable.inc(unreadable);
  logger.warn({ messages: unreadable, sequence }, 'ignored messages of RESULTS that are no result and no end of a run');
}

function countItem(metrics: CollectorMetrics, item: StoreItem, outcome: StoreOutcome): void {
  metrics.seen(item.stream);
  if (outcome === 'duplicate') metrics.duplicates.inc();
  else if (item.kind === 'end') metrics.ends.inc({ stream: item.stream });
  else {
    const { stream, algorithm, rank } = item;
    metrics.results.inc({ stream, algorithm, outcome: rank === RANK.error ? 'error' : 'success' });
  }
}
