/**
 * The stream of results: file-backed, refusing when full, with the last message of each subject as the progress of its stream and
 * algorithm (EX-6, EX-7). A publisher names the sequence of the last message of the subject, so each result is stored once, in
 * order, for ever, and by no scheduler that has been succeeded.
 */

import { Fault } from '@stream-infer/core/fault';
import type { AlgorithmTotals, ResultRecord, RunEnd } from '@stream-infer/core/result-record';
import { DiscardPolicy, headers, type JetStreamPublishOptions, RetentionPolicy, StorageType } from 'nats';
import type { Bus } from './bus.ts';
import { busErrorKind } from './bus-error.ts';
import { directGet } from './direct-get.ts';

export type ResultStreamOptions = {
  /** Limit of the stream on disk; below what the disk has. */
  readonly maxBytes: number;
};

/** Makes RESULTS where it is not there yet; idempotent. Throws BUS_FAILED where the server has not that much disk left. */
export async function ensureResultStream(bus: Bus, { maxBytes }: ResultStreamOptions): Promise<void> {
  const config = {
    name: bus.topology.resultsStream,
    subjects: [...bus.topology.resultsStreamSubjects],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    max_bytes: maxBytes,
    allow_direct: true,
  };
  try {
    await bus.manager.streams.add(config);
  } catch (error) {
    // It exists with another limit: what it is stays, since another service may have been told so.
    await bus.manager.streams.info(config.name).catch(() => {
      throw resultStreamFault(error, maxBytes);
    });
  }
}

function resultStreamFault(error: unknown, maxBytes: number): unknown {
  if (busErrorKind(error) !== 'no-room') return error;
  const mib = (maxBytes / 2 ** 20).toFixed(0);
  return new Fault(
    'BUS_FAILED',
    `the stream of results needs ${mib} MiB of the bus's disk, more than is left: set resultsMaxBytes lower, or give nats-server a larger max_file_store`,
    { cause: error },
  );
}

/** A result's totals up to and with it, as JSON: the ledger of whoever takes the stream over begins there (EX-11). */
const TOTALS_HEADER = 'Si-Totals';

/** What stands last on a subject: its sequence (0 where none does) and, where there is one, its bytes and its totals. */
export type LastMessage = {
  readonly sequence: number;
  readonly data?: Uint8Array;
  readonly totals?: AlgorithmTotals;
};

export async function lastResult(bus: Bus, stream: string, run: string, algorithm: string): Promise<LastMessage> {
  return lastOnSubject(bus, bus.topology.resultSubject(stream, run, algorithm));
}

async function lastOnSubject(bus: Bus, subject: string): Promise<LastMessage> {
  const message = await directGet(bus, bus.topology.resultsStream, { last_by_subj: subject });
  if (message === undefined) return { sequence: 0 };
  const totals = message.headers.get(TOTALS_HEADER);
  return {
    sequence: message.sequence,
    data: message.data,
    ...(totals !== '' && { totals: JSON.parse(totals) as AlgorithmTotals }),
  };
}

/**
 * Publishes one record after the message `after` of its subject (0: as the first) and returns its sequence; `totals` count up to and
 * with it. Rejects with the
 * client's error: `wrong-sequence` where another has published, `full` where the stream is.
 */
export function publishResult(
  bus: Bus,
  { stream, run, algorithm }: Pick<ResultRecord, 'stream' | 'run' | 'algorithm'>,
  bytes: Uint8Array,
  after: number,
  totals?: AlgorithmTotals,
): Promise<number> {
  return publishAfter(bus, bus.topology.resultSubject(stream, run, algorithm), bytes, after, totals);
}

/** Whether the end of a run is published. */
export async function hasRunEnded(bus: Bus, run: Pick<RunEnd, 'stream' | 'run'>): Promise<boolean> {
  return (await lastEnd(bus, run)).sequence > 0;
}

/** The message of a run's end, which stays on the bus for ever; its sequence is 0 where there is none. */
export const lastEnd = (bus: Bus, { stream, run }: Pick<RunEnd, 'stream' | 'run'>): Promise<LastMessage> =>
  lastOnSubject(bus, bus.topology.endSubject(stream, run));

/** Publishes the end of a run, once: a second attempt is refused and is no fault. */
export async function publishRunEnd(bus: Bus, end: Pick<RunEnd, 'stream' | 'run'>, bytes: Uint8Array): Promise<void> {
  await publishAfter(bus, bus.topology.endSubject(end.stream, end.run), bytes, 0).catch((error: unknown) => {
    if (busErrorKind(error) !== 'wrong-sequence') throw error;
  });
}

async function publishAfter(
  bus: Bus,
  subject: string,
  bytes: Uint8Array,
  after: number,
  totals?: AlgorithmTotals,
): Promise<number> {
  const options: Partial<JetStreamPublishOptions> = { expect: { lastSubjectSequence: after } };
  if (totals !== undefined) {
    options.headers = headers();
    options.headers.set(TOTALS_HEADER, JSON.stringify(totals));
  }
  const acknowledgement = await bus.jetstream.publish(subject, bytes, options);
  return acknowledgement.seq;
}
