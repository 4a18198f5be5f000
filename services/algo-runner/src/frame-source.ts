/**
 * The pixels of an invocation's window: fetched by reference (D1) or taken from the message, checked, decoded.
 *
 * Invariants: the frame that was fetched is the one that was meant (EX-1), else FRAME_MISMATCH; every frame handed out has memory
 * that nothing else refers to, so that it moves to a worker thread without a copy. Where windows share frames, each gets a
 * copy out of the cache: copying 230 kB takes 0.1 ms and fetching them 1 ms or more, and an algorithm may keep what it was given, as
 * it could not if threads shared the memory.
 */

import type { Frame } from '@stream-infer/algorithm';
import type { FetchedFrame } from '@stream-infer/bus/frame-fetcher';
import { SHARED_MEMORY_BYTES } from '@stream-infer/bus/message-assembler';
import { Fault } from '@stream-infer/core/fault';
import { Encoding, type FrameReference, type Frame as ProtoFrame } from '@stream-infer/proto/stream_infer/v1/frame';
import type { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';
import { algorithmFrame, pixelFormatOf } from './algorithm-frame.ts';
import { FrameCache } from './frame-cache.ts';
import { decodeJpeg } from './jpeg-decoder.ts';

/** Fetches one message of a frame buffer; throws FRAME_GONE or BUS_FAILED. */
export type FetchFrame = (jetstream: string, sequence: number) => Promise<FetchedFrame>;

/** All windows in flight of a few streams, and no more: 1080p in BGR is 6 MiB a frame. */
const CACHE_BYTES = 64 * 2 ** 20;

export class FrameSource {
  readonly #fetch: FetchFrame;
  readonly #cache = new FrameCache(CACHE_BYTES);

  constructor(fetch: FetchFrame) {
    this.#fetch = fetch;
  }

  /** The window's frames, oldest first. Throws FRAME_GONE, FRAME_MISMATCH or BUS_FAILED. */
  async window(invocation: Invocation): Promise<Frame[]> {
    const frames = invocation.window?.frames ?? [];
    // One that comes after others may want their results alone.
    if (frames.length === 0 && Object.keys(invocation.inputs).length > 0) return [];
    if (frames.length === 0)
      throw new Fault('FRAME_MISMATCH', `invocation ${invocation.id} has no frames in its window`);
    const shared = frames.length > 1;
    // A frame that stands in for a gap appears several times (G-8), and is one frame in memory.
    const resolved = new Map<number, Promise<Frame>>();
    return await Promise.all(
      frames.map((frame) => {
        const known = resolved.get(frame.n);
        if (known) return known;
        const resolving = this.#frame(frame, invocation.run, shared);
        resolved.set(frame.n, resolving);
        return resolving;
      }),
    );
  }

  async #frame(frame: ProtoFrame, run: string, shared: boolean): Promise<Frame> {
    const { content } = frame;
    switch (content?.$case) {
      case 'inline':
        // The message keeps its bytes: what was lost with a worker, or failed in a batch, is run again.
        return algorithmFrame(frame, copied(await decoded(frame, content.value)));
      case 'reference': {
        const reference = content.value;
        if (!shared) return algorithmFrame(frame, owned(await this.#fetched(frame, reference, run)));
        const key = `${run}/${frame.n}/${reference.jetstream}#${reference.sequence}`;
        const data = await this.#cache.get(key, async () => copied(await this.#fetched(frame, reference, run)));
        return algorithmFrame(frame, copied(data));
      }
      case undefined:
        throw new Fault('FRAME_MISMATCH', `frame ${frame.n} has neither a reference nor bytes`);
    }
  }

  async #fetched(frame: ProtoFrame, { jetstream, sequence }: FrameReference, run: string): Promise<Uint8Array> {
    const { header, data } = await this.#fetch(jetstream, sequence);
    if (header.run !== run || header.n !== frame.n) {
      const meant = `frame ${frame.n} of run ${run}`;
      const found = `frame ${header.n} of run ${header.run}`;
      throw new Fault('FRAME_MISMATCH', `${jetstream}#${sequence} is ${found}, and ${meant} was meant`);
    }
    return decoded(frame, data);
  }
}

async function decoded(frame: ProtoFrame, data: Uint8Array): Promise<Uint8Array> {
  if (frame.encoding !== Encoding.ENCODING_JPEG) return data;
  const { n, width, height } = frame;
  return decodeJpeg({ n, data, width, height, pixelFormat: pixelFormatOf(frame) });
}

/** The same bytes in memory that nothing else refers to: as they are where that is known, else a copy. */
function owned(data: Uint8Array): Uint8Array {
  const whole = data.byteOffset === 0 && data.byteLength === data.buffer.byteLength;
  return whole || data.byteLength > SHARED_MEMORY_BYTES ? data : copied(data);
}

/** In memory of exactly its size; `slice` of a Buffer copies nothing. */
const copied = (data: Uint8Array): Uint8Array => new Uint8Array(data);
