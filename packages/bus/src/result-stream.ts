/**
 * The stream of results: file-backed, refusing when full, with the last message of each subject as the progress of its stream and
 * algorithm (EX-6, EX-7). A publisher names the sequence of the last message of the subject, so each result is stored once, in
 * order, for ever, and by no scheduler that has been succeeded.
 */

import { Fault } from '@stream-infer/core/fault';
import type { AlgorithmTotals, ResultRecord, RunEnd } from '@stream-infer/core/result-record';
import { DiscardPolicy, headers, type JetStreamPublishOptions, type MsgHdrs, RetentionPolicy, StorageType } from 'nats';
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

/** The oldest sequence of its subject that a result's algorithm is still asked for by one that comes after it. */
const NEEDED_FROM_HEADER = 'Si-Needed-From';

/** `stream`: the algorithm remembers its stream, so that whoever takes it over needs a snapshot. */
const STATE_HEADER = 'Si-State';

/** What stands last on a subject: its sequence (0 where none does) and, where there is one, its bytes and what its headers tell. */
export type LastMessage = {
  readonly sequence: number;
  readonly data?: Uint8Array;
  readonly totals?: AlgorithmTotals;
  readonly neededFrom?: number;
  /** An algorithm with memory said it (EX-9). */
  readonly remembers?: boolean;
};

/** What a result tells beside itself. */
export type ResultFacts = Pick<LastMessage, 'totals' | 'neededFrom' | 'remembers'>;

export async function lastResult(bus: Bus, stream: string, run: string, algorithm: string): Promise<LastMessage> {
  return lastOnSubject(bus, bus.topology.resultSubject(stream, run, algorithm));
}

async function lastOnSubject(bus: Bus, subject: string): Promise<LastMessage> {
  const message = await directGet(bus, bus.topology.resultsStream, { last_by_subj: subject });
  if (message === undefined) return { sequence: 0 };
  const totals = message.headers.get(TOTALS_HEADER);
  const neededFrom = neededFromOf(message.headers);
  return {
    sequence: message.sequence,
    data: message.data,
    ...(totals !== '' && { totals: JSON.parse(totals) as AlgorithmTotals }),
    ...(neededFrom !== undefined && { neededFrom }),
    ...(message.headers.has(STATE_HEADER) && { remembers: true }),
  };
}

/** What `Si-Needed-From` says; undefined where it says nothing that is a sequence. */
export function neededFromOf(message: MsgHdrs | undefined): number | undefined {
  const sequence = Number(message?.get(NEEDED_FROM_HEADER) || 0);
  return Number.isSafeInteger(sequence) && sequence > 0 ? sequence : undefined;
}

/**
 * Publishes one record after the message `after` of its subject (0: as the first) and returns its sequence; the totals of `facts`
 * count up to and with it. Rejects with the client's error: `wrong-sequence` where another has published, `full` where the stream is.
 */
export function publishResult(
  bus: Bus,
  { stream, run, algorithm }: Pick<ResultRecord, 'stream' | 'run' | 'algorithm'>,
  bytes: Uint8Array,
  after: number,
  facts?: ResultFacts,
): Promise<number> {
  return publishAfter(bus, bus.topology.resultSubject(stream, run, algorithm), bytes, after, facts);
}

/** Whether the end of a run is published. */
export async function hasRunEnded(bus: Bus, { stream, run }: Pick<RunEnd, 'stream' | 'run'>): Promise<boolean> {
  return (await lastOnSubject(bus, bus.topology.endSubject(stream, run))).sequence > 0;
}

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
  { totals, neededFrom, remembers }: ResultFacts = {},
): Promise<number> {
  const options: Partial<JetStreamPublishOptions> = { expect: { lastSubjectSequence: after } };
  if (totals !== undefined) {
    options.headers = headers();
    options.headers.set(TOTALS_HEADER, JSON.stringify(totals));
    if (remembers) options.headers.set(STATE_HEADER, 'stream');
    if (neededFrom !== undefined) options.headers.set(NEEDED_FROM_HEADER, String(neededFrom));
  }
  const acknowledgement = await bus.jetstream.publish(subject, bytes, options);
  return acknowledgement.seq;
}
