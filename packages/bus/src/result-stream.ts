/**
 * The stream of results: file-backed, refusing when full, with the last message of each subject as the progress of its stream and
 * algorithm (EX-6, EX-7). A publisher names the sequence of the last message of the subject, so each result is stored once, in
 * order, for ever, and by no scheduler that has been succeeded.
 */

import { Fault } from '@stream-infer/core/fault';
import type { AlgorithmTotals, ResultRecord, RunEnd } from '@stream-infer/core/result-record';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { DiscardPolicy, headers, type MsgHdrs, RetentionPolicy, StorageType } from 'nats';
import type { Bus } from './bus.ts';
import { busErrorKind } from './bus-error.ts';
import { type DirectMessage, directGet } from './direct-get.ts';
import { madeOnce } from './made-once.ts';

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
    num_replicas: bus.replicas,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    max_bytes: maxBytes,
    allow_direct: true,
  };
  try {
    await madeOnce(config.name, () => bus.manager.streams.add(config));
  } catch (error) {
    // It exists with another limit: what it is stays, since another service may have been told so.
    await bus.manager.streams.info(config.name).catch(() => {
      throw resultStreamFault(error, maxBytes);
    });
  }
}

/** What RESULTS takes on the bus's disk, and the most that it may. */
export async function resultStreamBytes(
  bus: Bus,
): Promise<{ readonly usedBytes: number; readonly limitBytes: number }> {
  const { state, config } = await bus.manager.streams.info(bus.topology.resultsStream);
  return { usedBytes: state.bytes, limitBytes: config.max_bytes };
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

/** The fencing token of the scheduler that published a result: one that meets a higher one than its own has been succeeded (EX-6). */
const TOKEN_HEADER = 'Si-Scheduler';

/** The oldest sequence of its subject that a result's algorithm is still asked for by one that comes after it. */
const NEEDED_FROM_HEADER = 'Si-Needed-From';

/** `stream`: the algorithm remembers its stream, so that whoever takes it over needs a snapshot. */
const STATE_HEADER = 'Si-State';

/** What stands last on the subject of an algorithm's results. */
export type LastResult = {
  /** 0 where none does. */
  readonly sequence: number;
  /** Of its window; 0 where none does. */
  readonly n: number;
  /** When its window's newest frame came, milliseconds since 1970; absent offline. */
  readonly capturedAtMs?: number;
  /** Of the scheduler that published it. */
  readonly token: number;
  readonly totals?: AlgorithmTotals;
  readonly neededFrom?: number;
  /** An algorithm with memory said it (EX-9). */
  readonly remembers?: boolean;
};

export type ResultPlace = Pick<ResultRecord, 'stream' | 'run' | 'algorithm'>;

export async function lastResult(bus: Bus, { stream, run, algorithm }: ResultPlace): Promise<LastResult> {
  const message = await lastOnSubject(bus, bus.topology.resultSubject(stream, run, algorithm));
  if (message === undefined) return { sequence: 0, n: 0, token: 0 };
  const totals = message.headers.get(TOTALS_HEADER);
  const neededFrom = neededFromOf(message.headers);
  const { n, capturedAtMs } = JSON.parse(new TextDecoder().decode(message.data)) as ResultRecord;
  return {
    sequence: message.sequence,
    n,
    ...(typeof capturedAtMs === 'number' && { capturedAtMs }),
    token: Number(message.headers.get(TOKEN_HEADER)),
    ...(totals !== '' && { totals: JSON.parse(totals) as AlgorithmTotals }),
    ...(neededFrom !== undefined && { neededFrom }),
    ...(message.headers.has(STATE_HEADER) && { remembers: true }),
  };
}

const lastOnSubject = (bus: Bus, subject: string): Promise<DirectMessage | undefined> =>
  directGet(bus, bus.topology.resultsStream, { last_by_subj: subject });

/** What `Si-Needed-From` says; undefined where it says nothing that is a sequence. */
export function neededFromOf(message: MsgHdrs | undefined): number | undefined {
  const sequence = Number(message?.get(NEEDED_FROM_HEADER) || 0);
  return Number.isSafeInteger(sequence) && sequence > 0 ? sequence : undefined;
}

/** What a result tells beside itself. */
export type ResultFacts = {
  /** Up to and with this result. */
  readonly totals: AlgorithmTotals;
  readonly neededFrom?: number;
  /** An algorithm with memory said it (EX-9). */
  readonly remembers?: boolean;
};

/** What goes with a result: where it stands, who publishes it, and what it tells beside itself. */
export type ResultPosition = ResultFacts & {
  /** Sequence of the subject's last message; 0: none. */
  readonly after: number;
  readonly token: number;
};

/**
 * Publishes one record after the last message of its subject and returns its sequence. Rejects with the client's error: `wrong-sequence`
 * where another has published, `full` where the stream is.
 */
export function publishResult(
  bus: Bus,
  { stream, run, algorithm }: ResultPlace,
  bytes: Uint8Array,
  { after, totals, token, neededFrom, remembers }: ResultPosition,
): Promise<number> {
  const extra = headers();
  extra.set(TOTALS_HEADER, JSON.stringify(totals));
  extra.set(TOKEN_HEADER, String(token));
  if (remembers) extra.set(STATE_HEADER, 'stream');
  if (neededFrom !== undefined) extra.set(NEEDED_FROM_HEADER, String(neededFrom));
  return publishAfter(bus, bus.topology.resultSubject(stream, run, algorithm), bytes, { after, headers: extra });
}

/** A run, or a replay of windows of another. */
type Ending = Pick<RunEnd, 'stream' | 'run'> & { readonly spec?: Pick<StreamSpec, 'replay'> };

/** A replay's end is no end of a run: nobody stores it. */
const endSubject = ({ topology }: Bus, { stream, run, spec }: Ending): string =>
  spec?.replay ? topology.replayEndSubject(stream) : topology.endSubject(stream, run);

/** Whether the end of a run is published. */
export async function hasRunEnded(bus: Bus, ending: Ending): Promise<boolean> {
  const { resultsStream, deadLettersStream } = bus.topology;
  const jetstream = ending.spec?.replay ? deadLettersStream : resultsStream;
  return (await directGet(bus, jetstream, { last_by_subj: endSubject(bus, ending) })) !== undefined;
}

/** The message of a run's end, which stands on the bus for as long as the run is registered; undefined where there is none. */
export const lastEnd = (
  bus: Bus,
  { stream, run }: Pick<RunEnd, 'stream' | 'run'>,
): Promise<DirectMessage | undefined> => lastOnSubject(bus, bus.topology.endSubject(stream, run));

/** Publishes the end of a run, once: a second attempt is refused and is no fault. */
export async function publishRunEnd(bus: Bus, ending: Ending, bytes: Uint8Array): Promise<void> {
  await publishAfter(bus, endSubject(bus, ending), bytes, { after: 0 }).catch((error: unknown) => {
    if (busErrorKind(error) !== 'wrong-sequence') throw error;
  });
}

async function publishAfter(
  bus: Bus,
  subject: string,
  bytes: Uint8Array,
  { after, headers: extra }: { after: number; headers?: MsgHdrs },
): Promise<number> {
  const acknowledgement = await bus.jetstream.publish(subject, bytes, {
    expect: { lastSubjectSequence: after },
    ...(extra && { headers: extra }),
  });
  return acknowledgement.seq;
}
