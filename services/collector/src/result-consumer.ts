/**
 * From the bus into the store: batches, each committed and then acknowledged (I5, EX-7). A batch that comes again changes nothing.
 * Of the collectors that share a store one stores at a time; the others stand by. While the store cannot be had nothing is
 * acknowledged, so nothing is lost: it waits in RESULTS. The loop turns at least once a second while the bus is there, and at every
 * attempt while it is not (I7).
 */

import { setTimeout } from 'node:timers/promises';
import type { Bus } from '@stream-infer/bus/bus';
import { type ResultBatch, readResults } from '@stream-infer/bus/result-reader';
import { Fault } from '@stream-infer/core/fault';
import type { Logger } from '@stream-infer/service-kit/logger';
import type { EventFeed } from './event-feed.ts';
import type { CollectorMetrics } from './metrics.ts';
import type { ResultStore, ResultWriter, StoreOutcome } from './result-store.ts';
import type { ResultTrimmer } from './result-trimmer.ts';
import { isStoreAbsence } from './store-absence.ts';
import { RANK, type StoreItem, storeItem } from './store-item.ts';

/** `apart`: from the bus, or from the store. */
export type ConsumerState = 'apart' | 'storing' | 'standing-by';

export type ResultConsumer = {
  state(): ConsumerState;
  /** Whether this collector is the one to write: it stores, trims and removes. */
  hasTurn(): boolean;
  /** Milliseconds since the loop last turned. Waiting for the store, which has limits of its own, does not count. */
  idleMs(): number;
  /** Ends when it is stopped; rejects with BUS_FAILED, or with the error of a store that cannot be written. */
  readonly done: Promise<void>;
};

export type ResultConsumerOptions = {
  readonly bus: Bus;
  readonly store: Pick<ResultStore, 'takeTurn'>;
  readonly feed: EventFeed;
  readonly trimmer: ResultTrimmer;
  readonly metrics: CollectorMetrics;
  readonly logger: Logger;
  readonly resultsMaxBytes: number;
  readonly signal: AbortSignal;
};

/** After so long without the bus another may try: it may reach it. */
const GIVE_UP_MS = 5_000;
const RETRY_MS = 1_000;

export function startResultConsumer(options: ResultConsumerOptions): ResultConsumer {
  const { bus, store, trimmer, resultsMaxBytes, logger, signal } = options;
  let state: ConsumerState = 'apart';
  let turnedAtMs = performance.now();
  let withStore = 0;
  let hasTurn = false;

  const ofStore = async <T>(work: Promise<T>): Promise<T> => {
    withStore += 1;
    try {
      return await work;
    } finally {
      withStore -= 1;
      turnedAtMs = performance.now();
    }
  };

  /** Until the signal aborts, the bus is closed, or it is away for so long that another is to try. */
  const storeResults = async (writer: ResultWriter): Promise<void> => {
    let readAtMs = performance.now();
    const readings = readResults(bus, {
      maxBytes: resultsMaxBytes,
      from: (stream) => ofStore(writer.resume(stream)),
      signal,
    });
    for await (const reading of readings) {
      turnedAtMs = performance.now();
      if (reading.kind === 'broken') {
        if (state === 'storing') logger.warn({ reason: reading.reason }, 'reading results anew');
        state = 'apart';
        if (turnedAtMs - readAtMs > GIVE_UP_MS) return;
        continue;
      }
      readAtMs = turnedAtMs;
      if (reading.kind === 'open') trimmer.reopened();
      if (reading.kind === 'batch') await ofStore(takeBatch(options, writer, reading));
      state = 'storing';
    }
  };

  const takeTurn = async (): Promise<void> => {
    const writer = await ofStore(
      store.takeTurn(signal, () => {
        state = 'standing-by';
        // What waits is told by the one that stores.
        options.metrics.pending.set(0);
      }),
    );
    if (writer === undefined) return;
    state = 'apart';
    hasTurn = true;
    try {
      await storeResults(writer);
    } finally {
      state = 'apart';
      hasTurn = false;
      await ofStore(writer.close());
    }
  };

  const run = async (): Promise<void> => {
    while (!signal.aborted && !bus.connection.isClosed()) {
      try {
        await takeTurn();
      } catch (error) {
        // The store tells of its absence itself.
        if (!isStoreAbsence(error)) throw error;
        state = 'apart';
      }
      await ofStore(setTimeout(RETRY_MS, undefined, { signal }).catch(() => undefined));
    }
    if (!signal.aborted)
      throw new Fault('BUS_FAILED', 'the server closed the connection to NATS for good: see its log');
  };

  return {
    state: () => state,
    hasTurn: () => hasTurn,
    idleMs: () => (withStore > 0 ? 0 : performance.now() - turnedAtMs),
    done: run(),
  };
}

async function takeBatch(
  { feed, trimmer, metrics, logger }: ResultConsumerOptions,
  writer: ResultWriter,
  batch: ResultBatch,
): Promise<void> {
  const items = batch.messages.flatMap((message) => storeItem(message) ?? []);
  const sequence = batch.messages.at(-1)?.sequence ?? 0;
  const stopTimer = metrics.commitSeconds.startTimer();
  const outcomes = await writer.commit({ items, sequence }, Date.now());
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
