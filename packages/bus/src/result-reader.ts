/**
 * Reads RESULTS in order and each message once, through the collector's durable consumer. The position is the reader's owner's: it
 * stands in the store, committed together with the results (I5), and the consumer is made anew from it whenever reading begins or a
 * delivery is missed. So what was on its way to a process that died comes at once and in its place; left to the acknowledgement's
 * timeout it would come half a minute late, and after the end of its run. What the server thinks was delivered decides nothing;
 * acknowledgements tell it how far this sink has come, which is what trimming goes by (EX-7).
 */

import { setImmediate, setTimeout } from 'node:timers/promises';
import { AckPolicy, DeliverPolicy, type Msg, NatsError, nanos } from 'nats';
import type { Bus } from './bus.ts';
import { busErrorKind } from './bus-error.ts';
import { deliveryInfo } from './delivery-info.ts';
import { ensureResultStream, neededFromOf } from './result-stream.ts';

/** One request for messages: bounded in number and bytes, so that a burst of large results fits into memory. */
const REQUEST = { batch: 500, max_bytes: 4 * 2 ** 20, expires: nanos(4_000), idle_heartbeat: nanos(500) };
/**
 * Another is made long before the newest expires: a server (2.9) to which a message comes at the moment of the expiry forgets the request without a
 * word, and what comes then waits until somebody asks again.
 */
const RENEW_MS = 2_000;
/**
 * An old server (2.9) may miss, behind a purge of what a consumer has acknowledged, that there is more for it; another request wakes it.
 * A request that it has begun to answer gets no heartbeats from it either, so this much silence need not mean anything.
 */
const WAKE_MS = 1_000;
/** While so much waits to be committed nothing more is asked for: a store that is slow or stands still fills no memory. */
const MOST_HELD_BYTES = 4 * 2 ** 20;
const SILENCE_MS = 3_000;
/** What is not acknowledged for so long the server delivers again. */
const ACKNOWLEDGE_WITHIN_MS = 30_000;
const RETRY_MS = 500;
/**
 * Between two batches: what comes meanwhile is one commit, which costs as much for one result as for ten. The first result after a
 * pause does not wait.
 */
const GATHER_MS = 20;

/** Which RESULTS this is, and how far it reaches: one made anew begins at sequence 1 again. */
export type ResultStreamFacts = {
  /** When it was made, as the server tells it. */
  readonly created: string;
  readonly lastSequence: number;
};

export type ResultMessage = {
  readonly kind: 'result' | 'end';
  readonly sequence: number;
  readonly subject: string;
  readonly bytes: Uint8Array;
  /** Of the subject's messages those from this sequence on are still needed. */
  readonly neededFrom?: number;
  /** Of an end: what begins the subjects of its run's results. */
  readonly resultSubjects?: string;
};

export type ResultBatch = {
  readonly kind: 'batch';
  /** In order, none of them empty. */
  readonly messages: readonly ResultMessage[];
  /** How many more the stream holds. */
  readonly pending: number;
  /** To be called after the commit. */
  acknowledge(): void;
};

export type ResultReading =
  | ResultBatch
  /** Messages come from now on. */
  | { readonly kind: 'open' }
  /** Nothing has come for a second, and the server is there. */
  | { readonly kind: 'idle' }
  /** The consumer is made anew. */
  | { readonly kind: 'broken'; readonly reason: string };

export type ResultReaderOptions = {
  /** Limit of RESULTS, should it have to be made. */
  readonly maxBytes: number;
  /** The sequence to begin at; asked each time that the consumer is made. */
  readonly from: (stream: ResultStreamFacts) => Promise<number>;
  readonly signal: AbortSignal;
  /** Milliseconds after which the server delivers again what is not acknowledged; 30 s where it is left out. */
  readonly acknowledgeWithinMs?: number;
};

/** Reads until the signal aborts or the bus is closed. Rejects with what `from` throws; failures of the bus are `broken`. */
export async function* readResults(bus: Bus, options: ResultReaderOptions): AsyncGenerator<ResultReading, void, void> {
  const { signal } = options;
  while (!signal.aborted && !bus.connection.isClosed()) {
    try {
      yield* readOnce(bus, options);
    } catch (error) {
      if (!(error instanceof NatsError)) throw error;
      yield { kind: 'broken', reason: error.message };
    }
    // Not at once: what broke it may still be so.
    await setTimeout(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** One consumer's life. */
async function* readOnce(
  bus: Bus,
  { maxBytes, from, signal, acknowledgeWithinMs = ACKNOWLEDGE_WITHIN_MS }: ResultReaderOptions,
): AsyncGenerator<ResultReading, void, void> {
  await ensureResultStream(bus, { maxBytes });
  const { created, state } = await bus.manager.streams.info(bus.topology.resultsStream);
  await makeConsumer(bus, await from({ created, lastSequence: state.last_seq }), acknowledgeWithinMs);
  yield { kind: 'open' };
  const inbox = openInbox(bus, signal);
  let gatheredAtMs = Number.NEGATIVE_INFINITY;
  try {
    while (!signal.aborted) {
      if (inbox.holdsMessages()) {
        const waitMs = gatheredAtMs + GATHER_MS - performance.now();
        if (waitMs > 0) await setTimeout(waitMs);
        // What the socket holds already joins the batch: one commit for all of it.
        else await setImmediate();
        gatheredAtMs = performance.now();
        yield batchOf(bus, inbox.takeMessages());
      } else if (inbox.trouble() !== undefined) {
        yield { kind: 'broken', reason: inbox.trouble() ?? '' };
        return;
      } else if (inbox.takeHeartbeat()) yield { kind: 'idle' };
      else await inbox.changed();
    }
  } finally {
    inbox.close();
  }
}

/** The durable consumer, made so that it begins at `from`. */
async function makeConsumer(bus: Bus, from: number, acknowledgeWithinMs: number): Promise<void> {
  const { resultsStream, collectorDurable } = bus.topology;
  await bus.manager.consumers.delete(resultsStream, collectorDurable).catch((error: unknown) => {
    if (busErrorKind(error) !== 'consumer-missing') throw error;
  });
  await bus.manager.consumers.add(resultsStream, {
    durable_name: collectorDurable,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: from,
    // One acknowledgement for a batch.
    ack_policy: AckPolicy.All,
    ack_wait: nanos(acknowledgeWithinMs),
    max_ack_pending: 20_000,
  });
}

function batchOf(bus: Bus, messages: readonly Msg[]): ResultBatch {
  const last = messages.at(-1);
  return {
    kind: 'batch',
    messages: messages.map((message) => resultMessage(bus, message)),
    pending: deliveryInfo(last?.reply).pending,
    acknowledge: () => void last?.respond(ACKNOWLEDGE),
  };
}

function resultMessage({ topology }: Bus, { subject, reply, data, headers }: Msg): ResultMessage {
  const message = { sequence: deliveryInfo(reply).streamSequence, subject, bytes: data };
  if (topology.isEndSubject(subject))
    return { kind: 'end', ...message, resultSubjects: topology.resultSubjectsOfEnd(subject) };
  const neededFrom = neededFromOf(headers);
  return { kind: 'result', ...message, ...(neededFrom !== undefined && { neededFrom }) };
}

const ACKNOWLEDGE = new TextEncoder().encode('+ACK');

/** Asks for messages, so that a request is always open, and keeps what comes until it is taken. */
function openInbox(bus: Bus, signal: AbortSignal) {
  const { connection, topology } = bus;
  const inbox = bus.newInbox();
  const nextSubject = topology.nextMessagesSubject(topology.resultsStream, topology.collectorDurable);
  let messages: Msg[] = [];
  let expected = 1;
  let newest = 0;
  let heldBytes = 0;
  let requests = 0;
  let requested = 0;
  let paused = false;
  let heartbeat = false;
  let trouble: string | undefined;
  let lastHeardMs = performance.now();
  let wake: () => void = () => undefined;
  let requestedAtMs = 0;
  const request = (): void => {
    requests += 1;
    requested = REQUEST.batch;
    requestedAtMs = performance.now();
    const reply = `${inbox}.${requests}`;
    if (!connection.isClosed()) connection.publish(nextSubject, JSON.stringify(REQUEST), { reply });
  };
  const requestNext = (): void => {
    paused = heldBytes >= MOST_HELD_BYTES;
    if (!paused) request();
  };
  const onStatus = (message: Msg): void => {
    const headers = message.headers;
    if (headers?.code === 100) {
      heartbeat = true;
      if (Number(headers.get('Nats-Last-Consumer') || 0) >= expected) trouble = 'messages were lost on their way';
    } else if (headers?.code === 408 || headers?.has('Nats-Pending-Messages')) {
      // Of an earlier one: the latest is still open.
      if (message.subject === `${inbox}.${requests}`) requestNext();
    } else trouble = headers?.description || 'the consumer is gone';
  };
  const onMessage = (message: Msg): void => {
    const { consumerSequence, streamSequence } = deliveryInfo(message.reply);
    if (consumerSequence !== expected) {
      trouble = 'messages were lost on their way';
      return;
    }
    // The server took too long a commit for a reader that has died: behind what is held comes what went before it.
    if (streamSequence <= newest) {
      trouble = 'messages came again, which were not acknowledged in time';
      return;
    }
    newest = streamSequence;
    messages.push(message);
    heldBytes += message.data.length;
    expected += 1;
    requested -= 1;
    if (requested === 0) requestNext();
  };
  const subscription = connection.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      lastHeardMs = performance.now();
      // Behind a gap nothing counts: the next consumer brings it again.
      if (trouble !== undefined) return;
      if (error) trouble = error.message;
      else if (message.subject.startsWith(inbox)) onStatus(message);
      else onMessage(message);
      wake();
    },
  });
  const watchdog = setInterval(() => {
    const nowMs = performance.now();
    // Who asks for nothing hears nothing.
    if (paused) lastHeardMs = nowMs;
    else if (nowMs - lastHeardMs > SILENCE_MS) trouble ??= `nothing was heard for ${SILENCE_MS} ms`;
    else if (nowMs - requestedAtMs > RENEW_MS || nowMs - Math.max(lastHeardMs, requestedAtMs) > WAKE_MS) request();
    wake();
  }, WAKE_MS / 4);
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort, { once: true });
  request();
  return {
    holdsMessages: () => messages.length > 0,
    takeMessages() {
      const taken = messages;
      messages = [];
      heldBytes = 0;
      if (paused) {
        lastHeardMs = performance.now();
        requestNext();
      }
      return taken;
    },
    takeHeartbeat() {
      const heard = heartbeat;
      heartbeat = false;
      return heard;
    },
    trouble: () => trouble,
    /** Resolves when something may have come; call it only after looking. */
    changed: () =>
      new Promise<void>((resolve) => {
        wake = resolve;
      }),
    close() {
      clearInterval(watchdog);
      signal.removeEventListener('abort', onAbort);
      if (!connection.isClosed()) subscription.unsubscribe();
    },
  };
}
