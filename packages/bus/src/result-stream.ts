/**
 * The stream of results: file-backed, refusing when full, with the last message of each subject as the progress of its stream and
 * algorithm (EX-6, EX-7). A publisher names the sequence of the last message of the subject, so each result is stored once, in
 * order, for ever, and by no scheduler that has been succeeded.
 */

import type { ResultRecord, RunEnd } from '@stream-infer/core/result-record';
import {
  AckPolicy,
  type Consumer,
  DiscardPolicy,
  type JetStreamPublishOptions,
  type JsMsg,
  nanos,
  RetentionPolicy,
  StorageType,
} from 'nats';
import type { Bus } from './bus.ts';
import { busErrorKind } from './bus-error.ts';
import { directGet } from './direct-get.ts';

export type ResultStreamOptions = {
  /** Limit of the stream on disk; below what the disk has. */
  readonly maxBytes: number;
};

/** Makes RESULTS where it is not there yet. */
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
      throw error;
    });
  }
}

/** What stands last on a subject: its sequence (0 where none does) and, where there is one, its bytes. */
export type LastMessage = { readonly sequence: number; readonly data?: Uint8Array };

export async function lastResult(bus: Bus, stream: string, run: string, algorithm: string): Promise<LastMessage> {
  return lastOnSubject(bus, bus.topology.resultSubject(stream, run, algorithm));
}

async function lastOnSubject(bus: Bus, subject: string): Promise<LastMessage> {
  const message = await directGet(bus, bus.topology.resultsStream, { last_by_subj: subject });
  return message ?? { sequence: 0 };
}

/**
 * Publishes one record after the message `after` of its subject (0: as the first) and returns its sequence. Rejects with the
 * client's error: `wrong-sequence` where another has published, `full` where the stream is.
 */
export function publishResult(
  bus: Bus,
  { stream, run, algorithm }: Pick<ResultRecord, 'stream' | 'run' | 'algorithm'>,
  bytes: Uint8Array,
  after: number,
): Promise<number> {
  return publishAfter(bus, bus.topology.resultSubject(stream, run, algorithm), bytes, after);
}

/** Publishes the end of a run, once: a second attempt is refused and is no fault. */
export async function publishRunEnd(bus: Bus, end: Pick<RunEnd, 'stream' | 'run'>, bytes: Uint8Array): Promise<void> {
  await publishAfter(bus, bus.topology.endSubject(end.stream, end.run), bytes, 0).catch((error: unknown) => {
    if (busErrorKind(error) !== 'wrong-sequence') throw error;
  });
}

async function publishAfter(bus: Bus, subject: string, bytes: Uint8Array, after: number): Promise<number> {
  const options: Partial<JetStreamPublishOptions> = { expect: { lastSubjectSequence: after } };
  const acknowledgement = await bus.jetstream.publish(subject, bytes, options);
  return acknowledgement.seq;
}

export type StoredMessage = {
  readonly kind: 'result' | 'end';
  /** Sequence in RESULTS: the order in which everything happened. */
  readonly sequence: number;
  readonly bytes: Uint8Array;
  readonly message: JsMsg;
};

/** The durable consumer that collectors share: a message comes again until it is acknowledged after the commit (I5). */
export async function collectorConsumer(bus: Bus): Promise<Consumer> {
  const { resultsStream, collectorDurable } = bus.topology;
  await bus.manager.consumers
    .add(resultsStream, {
      durable_name: collectorDurable,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(30_000),
      max_ack_pending: 20_000,
    })
    .catch(async (error: unknown) => {
      await bus.manager.consumers.info(resultsStream, collectorDurable).catch(() => {
        throw error;
      });
    });
  return bus.jetstream.consumers.get(resultsStream, collectorDurable);
}

export const storedMessage = (bus: Bus, message: JsMsg): StoredMessage => ({
  kind: bus.topology.isEndSubject(message.subject) ? 'end' : 'result',
  sequence: message.seq,
  bytes: message.data,
  message,
});
