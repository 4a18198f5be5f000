/**
 * Reads the headers of an epoch's frames in order, without their bytes (D1, EX-5). The position is the reader's own: a gap in the
 * consumer's sequence or a missed heartbeat makes the consumer anew from the next sequence, and nothing depends on what the
 * server thinks was delivered.
 */

import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  type JetStreamManager,
  type MsgHdrs,
  headers as makeHeaders,
  nanos,
  nuid,
  ReplayPolicy,
} from 'nats';
import type { Bus } from './bus.ts';
import { busErrorKind, isDenied } from './bus-error.ts';
import { deliveryInfo } from './delivery-info.ts';
import { decodeHeader, type EndHeader, type FrameHeader } from './frame-headers.ts';
import { createInbox } from './inbox.ts';

const HEARTBEAT_MS = 500;
const SILENCE_MS = 3 * HEARTBEAT_MS;

export type ReadFrame = {
  readonly sequence: number;
  readonly header: FrameHeader | EndHeader;
  /** Of the payload, which is not read. */
  readonly bytes: number;
  /** Sequence of the newest message when this one was delivered. */
  readonly newest: number;
};

export type FrameReaderOptions = {
  /** Names this reader in its deliver subject: the scheduler replica's id. */
  readonly replica: string;
  readonly stream: string;
  readonly epoch: number;
  /** Sequence to begin at, from 1. */
  readonly from: number;
  readonly signal: AbortSignal;
};

/**
 * Yields every frame and end marker from `from` on; ends when the signal aborts or the buffer is gone. A message that is neither is told of and
 * passed over.
 */
export async function* readFrames(
  bus: Bus,
  { replica, stream, epoch, from, signal }: FrameReaderOptions,
): AsyncGenerator<ReadFrame, void, void> {
  let next = from;
  while (!signal.aborted) {
    for await (const outcome of readOnce(bus, { replica, stream, epoch, from: next, signal })) {
      if (outcome === 'gone') return;
      if (outcome === 'broken') break;
      next = outcome.sequence + 1;
      if (outcome.header) yield { ...outcome, header: outcome.header };
      else
        bus.protocolBroken(
          `a message in ${bus.topology.framesStream(stream, epoch)} is no frame: who publishes there?`,
        );
    }
  }
}

/** Without a header: no frame. */
type ReadMessage = Omit<ReadFrame, 'header'> & { readonly header: ReadFrame['header'] | undefined };

type Delivery = { readonly sequence: number; readonly newest: number; readonly headers: MsgHdrs };

/** One consumer's life: frames, then `broken` where it must be made anew or `gone` where its stream does not exist. */
async function* readOnce(
  bus: Bus,
  { replica, stream, epoch, from, signal }: FrameReaderOptions,
): AsyncGenerator<ReadMessage | 'broken' | 'gone', void, void> {
  const { connection, manager, topology } = bus;
  const framesStream = topology.framesStream(stream, epoch);
  // A literal subject of its own for each consumer, so that a predecessor's late messages reach nobody. The same stands for its name: one that nats-server
  // 2.9 makes up it never forgets.
  const id = nuid.next();
  const deliverSubject = `${topology.headersSubject(replica, stream, epoch)}.${id}`;
  const inbox = createInbox<Delivery | 'broken'>();
  let lastHeardMs = performance.now();
  let expected = 1;
  const subscription = connection.subscribe(deliverSubject, {
    callback: (error, message) => {
      lastHeardMs = performance.now();
      if (error) return inbox.put('broken');
      if (isStatus(message.headers)) {
        // Flow control asks for an answer; a heartbeat may tell that messages were missed.
        if (message.reply) message.respond();
        const last = Number(message.headers?.get('Nats-Last-Consumer') || 0);
        if (last >= expected) inbox.put('broken');
        return;
      }
      const { streamSequence, consumerSequence, pending } = deliveryInfo(message.reply);
      if (consumerSequence !== expected) return inbox.put('broken');
      expected += 1;
      const newest = streamSequence + pending;
      inbox.put({ sequence: streamSequence, newest, headers: message.headers ?? makeHeaders() });
    },
  });
  const watchdog = setInterval(() => {
    if (performance.now() - lastHeardMs > SILENCE_MS) inbox.put('broken');
  }, HEARTBEAT_MS);
  signal.addEventListener('abort', inbox.close, { once: true });
  let consumer: string | undefined;
  try {
    const info = await addConsumer(manager, framesStream, id, {
      deliver_subject: deliverSubject,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: from,
      ack_policy: AckPolicy.None,
      replay_policy: ReplayPolicy.Instant,
      headers_only: true,
      idle_heartbeat: nanos(HEARTBEAT_MS),
      flow_control: true,
      inactive_threshold: nanos(5_000),
      mem_storage: true,
      num_replicas: 1,
    });
    consumer = info.name;
    for (let item = await inbox.take(); item && !signal.aborted; item = await inbox.take()) {
      if (item === 'broken') {
        yield item;
        return;
      }
      yield readMessage(item);
    }
  } catch (error) {
    if (busErrorKind(error) === 'stream-missing') yield 'gone';
    else if (busErrorKind(error) === 'closed') yield 'gone';
    else if (busErrorKind(error) === 'other') throw error;
    else yield 'broken';
  } finally {
    clearInterval(watchdog);
    signal.removeEventListener('abort', inbox.close);
    subscription.unsubscribe();
    if (consumer !== undefined && !connection.isClosed())
      await manager.consumers.delete(framesStream, consumer).catch(() => false);
  }
}

function readMessage({ sequence, newest, headers }: Delivery): ReadMessage {
  const bytes = Number(headers.get('Nats-Msg-Size'));
  try {
    return { sequence, newest, bytes, header: decodeHeader(headers) };
  } catch {
    return { sequence, newest, bytes, header: undefined };
  }
}

/** Named; by no name where the server has the permissions that schedulers of the version before are given. */
async function addConsumer(
  manager: JetStreamManager,
  stream: string,
  name: string,
  config: Partial<ConsumerConfig>,
): Promise<ConsumerInfo> {
  try {
    return await manager.consumers.add(stream, { ...config, name });
  } catch (error) {
    if (!isDenied(error)) throw error;
    return await manager.consumers.add(stream, config);
  }
}

const isStatus = (headers: MsgHdrs | undefined): boolean => headers !== undefined && headers.code === 100;
