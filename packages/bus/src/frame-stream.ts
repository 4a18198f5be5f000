/**
 * The frame buffer of one epoch: a memory stream of the bus, never reused (D2). The ingest makes it and publishes into it;
 * the scheduler purges what is released; whoever ends the epoch deletes it.
 */

import { Fault } from '@stream-infer/core/fault';
import type { Mode } from '@stream-infer/core/stream-spec';
import { DiscardPolicy, type MsgHdrs, RetentionPolicy, StorageType } from 'nats';
import type { Bus } from './bus.ts';
import { busErrorKind } from './bus-error.ts';
import { directGet } from './direct-get.ts';
import { decodeHeader, type EndHeader, encodeEndHeader, encodeFrameHeader, type FrameHeader } from './frame-headers.ts';

/** Headers, subject and the server's own record of one message, generously. */
const OVERHEAD_BYTES = 1_024;
/** Room for the end marker beside a full buffer. */
const SPARE_FRAMES = 1;

export type FrameBuffer = {
  readonly stream: string;
  readonly epoch: number;
  readonly mode: Mode;
  /** In frames (EX-3). */
  readonly capacity: number;
  readonly bytesPerFrame: number;
};

/** Bytes that the buffer reserves of the bus's memory. */
export const bufferBytes = ({ capacity, bytesPerFrame }: Pick<FrameBuffer, 'capacity' | 'bytesPerFrame'>): number =>
  (capacity + SPARE_FRAMES) * (bytesPerFrame + OVERHEAD_BYTES);

/** Makes the buffer and returns its JetStream name. Throws BUS_NO_ROOM where the server has not that much memory left. */
export async function createFrameBuffer(bus: Bus, buffer: FrameBuffer): Promise<string> {
  const { topology, manager } = bus;
  const name = topology.framesStream(buffer.stream, buffer.epoch);
  try {
    await manager.streams.add({
      name,
      subjects: [topology.framesSubject(buffer.stream, buffer.epoch)],
      storage: StorageType.Memory,
      retention: RetentionPolicy.Limits,
      // Offline nothing is lost: a full buffer refuses (EX-2). In realtime the oldest goes (EX-8, I3).
      discard: buffer.mode === 'offline' ? DiscardPolicy.New : DiscardPolicy.Old,
      max_bytes: bufferBytes(buffer),
      ...(buffer.mode === 'realtime' && { max_msgs: buffer.capacity }),
      allow_direct: true,
      duplicate_window: 0,
      num_replicas: 1,
    });
  } catch (error) {
    if (busErrorKind(error) !== 'no-room') throw error;
    const mib = (bufferBytes(buffer) / 2 ** 20).toFixed(0);
    throw new Fault(
      'BUS_NO_ROOM',
      `stream ${buffer.stream} needs ${mib} MiB of the bus's memory for ${buffer.capacity} frames, more than is left: choose a smaller width and height, fewer streams, or give nats-server a larger max_memory_store`,
      { cause: error },
    );
  }
  return name;
}

/** Deletes the buffer; one that is gone already is no fault. */
export async function deleteFrameBuffer(bus: Bus, name: string): Promise<void> {
  await bus.manager.streams.delete(name).catch((error: unknown) => {
    if (!['stream-missing', 'timeout', 'closed'].includes(busErrorKind(error))) throw error;
  });
}

/** Drops every frame before `sequence`, which is at most one beyond the newest. */
export async function purgeFrameBuffer(bus: Bus, name: string, sequence: number): Promise<void> {
  await bus.manager.streams.purge(name, { seq: sequence }).catch(async (error: unknown) => {
    // In realtime the frame itself may have been discarded, and so all before it: an old server calls that a general error.
    if (busErrorKind(error) !== 'other' || (await frameBufferState(bus, name)).firstSequence < sequence) throw error;
  });
}

/** How many messages the buffer holds, and the sequence of the newest ever stored. */
export async function frameBufferState(
  bus: Bus,
  name: string,
): Promise<{ messages: number; firstSequence: number; lastSequence: number }> {
  const { state } = await bus.manager.streams.info(name);
  return { messages: state.messages, firstSequence: state.first_seq, lastSequence: state.last_seq };
}

/**
 * Publishes one message at exactly `sequence`: `Nats-Expected-Last-Sequence` keeps the order, makes a retry harmless and
 * refuses a second writer (EX-1). Rejects with the client's error; `busErrorKind` tells `full` from `wrong-sequence`.
 */
export function publishFrame(
  bus: Bus,
  header: FrameHeader | EndHeader,
  stream: string,
  data: Uint8Array,
  sequence: number,
): Promise<unknown> {
  const encoded: MsgHdrs = header.kind === 'frame' ? encodeFrameHeader(header) : encodeEndHeader(header);
  return bus.jetstream.publish(bus.topology.framesSubject(stream, header.epoch), data, {
    headers: encoded,
    expect: { lastSequence: sequence - 1 },
  });
}

/** Where a message of a run stands: `n` is that of its frame, undefined for the end marker. */
export type FramePlace = {
  readonly sequence: number;
  readonly run: string;
  readonly epoch: number;
  readonly n: number | undefined;
};

/** False where another message stands in one of the places; one that is gone was there. Rejects where the server does not answer. */
export async function holdsFrames(bus: Bus, name: string, places: readonly FramePlace[]): Promise<boolean> {
  const held = await Promise.all(
    places.map(async (place) => {
      const message = await directGet(bus, name, { seq: place.sequence });
      return message === undefined || isAt(place, message.headers);
    }),
  );
  return !held.includes(false);
}

function isAt({ run, epoch, n }: FramePlace, encoded: MsgHdrs): boolean {
  try {
    const header = decodeHeader(encoded);
    const isSame = header.kind === 'frame' ? header.n === n : n === undefined;
    return header.run === run && header.epoch === epoch && isSame;
  } catch {
    return false;
  }
}

/** The buffers of these epochs of a stream, where they stand. Rejects with the client's errors. */
export async function deleteFrameBuffers(bus: Bus, stream: string, epochs: readonly number[]): Promise<void> {
  for (const epoch of epochs) await deleteFrameBuffer(bus, bus.topology.framesStream(stream, epoch));
}
