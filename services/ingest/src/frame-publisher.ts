/**
 * Publishes a run's frames in order, a few at a time under way, each at the sequence it is to have (EX-1): a refusal or a time-out goes
 * back to the first frame that is not stored, and what was stored after all is not stored twice.
 *
 * Offline no more than `capacity` frames are published and not released (EX-2): whoever offers a frame waits. In realtime nobody
 * waits: where the bus is slower than the camera, the oldest waiting frame is dropped and counted (EX-8, I3).
 */

import { type BusErrorKind, busErrorKind } from '@stream-infer/bus/bus-error';
import type { EndHeader, FrameHeader } from '@stream-infer/bus/frame-headers';
import { type FramePlace, holdsFrames, publishFrame } from '@stream-infer/bus/frame-stream';
import { Fault, toFault } from '@stream-infer/core/fault';
import type { SourceEnd } from '@stream-infer/core/run';
import { Bell } from './bell.ts';
import { BufferRoom, type BufferRoomOptions } from './buffer-room.ts';

/** A frame to publish: what of its header depends on neither its sequence nor the time of publishing. */
export type OutgoingFrame = {
  readonly header: Omit<FrameHeader, 'kind' | 'run' | 'epoch' | 'previous' | 'ageMs'>;
  readonly data: Uint8Array;
  /** Monotonic clock, milliseconds: when the frame arrived here. */
  readonly arrivedAtMs: number;
};

/** What becomes of frames, for metrics and for the buffers' reuse. */
export type PublisherListener = {
  stored(frame: OutgoingFrame): void;
  /** Realtime: given up before it was published. */
  dropped(frame: OutgoingFrame): void;
  /** Given up because the epoch is over. */
  discarded(frame: OutgoingFrame): void;
  /** Went back to a frame that was not stored. */
  retried(why: BusErrorKind): void;
};

export type PublisherOptions = BufferRoomOptions & { readonly listener: PublisherListener };

/** Under way at once: enough to hide the server's answers, no more memory than a few large frames. */
const MOST_IN_FLIGHT = 8;
const BYTES_IN_FLIGHT = 8 * 2 ** 20;
const LEAST_IN_FLIGHT = 2;
/** Waiting in realtime while the bus is behind. */
const MOST_WAITING = 16;
/** No announcement for this long: the buffer itself is asked. */
const SILENCE_MS = 250;
/** Refusals of another kind than time-outs and a full buffer, in a row, before the bus is given up. */
const MOST_FAILURES = 5;

type Message =
  | { readonly kind: 'frame'; readonly frame: OutgoingFrame; readonly previous: number; readonly sequence: number }
  | { readonly kind: 'end'; readonly header: EndHeader; readonly sequence: number };

type Flight = { readonly message: Message; readonly bytes: number; settled: Promise<void>; state: 'sent' | 'stored' };

export class FramePublisher {
  /** Frames stored in the buffer. */
  published = 0;
  /** n of the newest of them, 0 if none. */
  lastPublished = 0;

  readonly #options: PublisherOptions;
  readonly #stop = new AbortController();
  readonly #bell = new Bell();
  readonly #roomForMore = new Bell();
  readonly #waiting: OutgoingFrame[] = [];
  readonly #room: BufferRoom;
  readonly #running: Promise<void>;
  #flights: Flight[] = [];
  #refusal: unknown;
  #failures = 0;
  /** Highest sequence given out. */
  #sequence = 0;
  /** n of the frame that has it. */
  #newest = 0;
  #end: EndHeader | undefined;
  #endSequence: number | undefined;
  #fault: Fault | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#room = new BufferRoom(options, this.#stop.signal, () => this.#bell.ring());
    this.#running = this.#run()
      .catch((error: unknown) => {
        this.#fault = toFault(error, 'BUS_FAILED', `publishing frames of stream ${options.stream} failed`);
      })
      .finally(() => {
        this.#room.close();
        this.#roomForMore.ring();
      });
  }

  /** Hands over a frame; offline it resolves when the next may be. Throws the fault that ended publishing. */
  async offer(frame: OutgoingFrame): Promise<void> {
    this.#waiting.push(frame);
    this.#bell.ring();
    if (this.#options.mode === 'realtime') {
      while (this.#waiting.length > MOST_WAITING) {
        const oldest = this.#waiting.shift();
        if (oldest) this.#options.listener.dropped(oldest);
      }
    } else {
      while (this.#waiting.length > 0 && !this.#isOver) await this.#roomForMore.wait();
    }
    if (this.#fault) throw this.#fault;
  }

  /** Frames that wait or are under way. */
  get unpublished(): number {
    return this.#waiting.length + this.#flights.filter(({ message }) => message.kind === 'frame').length;
  }

  /** Forgets what waits and is not under way: the stream is stopped. */
  discard(): void {
    for (const frame of this.#waiting.splice(0)) this.#options.listener.discarded(frame);
    this.#roomForMore.ring();
  }

  /**
   * Publishes the end marker after all frames and resolves when everything is stored. `end` is asked for the totals once every
   * frame is. Throws BUS_FAILED.
   */
  async finish(end: () => SourceEnd): Promise<void> {
    while ((this.#waiting.length > 0 || this.#flights.length > 0) && !this.#isOver) await this.#roomForMore.wait();
    const { run, epoch } = this.#options;
    this.#end = { kind: 'end', run, epoch, end: end() };
    this.#bell.ring();
    await this.#running;
    if (this.#fault) throw this.#fault;
  }

  /** Gives up what is not stored. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#bell.ring();
    await this.#running;
    this.discard();
    // What the bus has stored by now is published.
    await Promise.all(this.#flights.map(({ settled }) => settled));
    for (const { message } of this.#flights.splice(0))
      if (message.kind === 'frame') this.#options.listener.discarded(message.frame);
  }

  get #isOver(): boolean {
    return this.#fault !== undefined || this.#stop.signal.aborted;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      if (this.#refusal !== undefined) await this.#goBack();
      else if (this.#sendNext()) continue;
      else if (this.#end && this.#isAllStored) return;
      else if (this.#waiting.length > 0 && !this.#room.hasAfter(this.#sequence)) await this.#untilReleased();
      else await this.#bell.wait();
    }
  }

  /** Whether there was something to send, and room for it. */
  #sendNext(): boolean {
    const next = this.#waiting[0];
    if (next && this.#hasRoomInFlight(next.data.byteLength) && this.#room.hasAfter(this.#sequence)) {
      this.#waiting.shift();
      this.#sequence += 1;
      this.#send({ kind: 'frame', frame: next, previous: this.#newest, sequence: this.#sequence });
      this.#newest = next.header.n;
      this.#roomForMore.ring();
      return true;
    }
    if (!next && this.#end && this.#flights.length === 0 && !this.#isAllStored) {
      this.#sequence += 1;
      this.#endSequence = this.#sequence;
      this.#send({ kind: 'end', header: this.#end, sequence: this.#sequence });
      return true;
    }
    return false;
  }

  get #isAllStored(): boolean {
    return this.#endSequence !== undefined && this.#flights.length === 0;
  }

  #hasRoomInFlight(bytes: number): boolean {
    if (this.#flights.length < LEAST_IN_FLIGHT) return true;
    const underWay = this.#flights.reduce((sum, flight) => sum + flight.bytes, bytes);
    return this.#flights.length < MOST_IN_FLIGHT && underWay <= BYTES_IN_FLIGHT;
  }

  #send(message: Message): void {
    const { bus, stream, run, epoch } = this.#options;
    const data = message.kind === 'frame' ? message.frame.data : new Uint8Array(0);
    const isTimed = message.kind === 'frame' && this.#options.mode === 'realtime';
    const ageMs = isTimed ? Math.round(performance.now() - message.frame.arrivedAtMs) : 0;
    const header =
      message.kind === 'end'
        ? message.header
        : ({ ...message.frame.header, kind: 'frame', run, epoch, previous: message.previous, ageMs } as const);
    const flight: Flight = { message, bytes: data.byteLength, settled: Promise.resolve(), state: 'sent' };
    flight.settled = publishFrame(bus, header, stream, data, message.sequence).then(
      () => this.#stored(flight),
      (error: unknown) => {
        this.#refusal ??= error;
        this.#bell.ring();
      },
    );
    this.#flights.push(flight);
  }

  #stored(flight: Flight): void {
    if (flight.state === 'stored') return;
    flight.state = 'stored';
    this.#failures = 0;
    this.#flights = this.#flights.filter((other) => other !== flight);
    if (flight.message.kind === 'frame') {
      this.published += 1;
      this.lastPublished = flight.message.frame.header.n;
      this.#options.listener.stored(flight.message.frame);
    }
    this.#bell.ring();
    this.#roomForMore.ring();
  }

  /** After a refusal: asks the buffer what it holds, and sends again from the first message that it does not. */
  async #goBack(): Promise<void> {
    await Promise.all(this.#flights.map((flight) => flight.settled));
    const kind = busErrorKind(this.#refusal);
    this.#options.listener.retried(kind);
    if (!['timeout', 'full', 'no-responders'].includes(kind)) this.#failures += 1;
    if (this.#failures > MOST_FAILURES) throw this.#refusal;
    const state = await this.#room.state();
    const isOurs = state && (await this.#isOurs(state.lastSequence));
    if (isOurs === undefined) return;
    if (!isOurs)
      throw new Fault(
        'BUS_FAILED',
        `another writer has published into ${this.#options.frames}: only one ingest may play a stream`,
      );
    for (const flight of this.#flights) if (flight.message.sequence <= state.lastSequence) this.#stored(flight);
    if (kind === 'full') await this.#bell.wait(SILENCE_MS);
    this.#refusal = undefined;
    const again = this.#flights;
    this.#flights = [];
    for (const { message } of again) this.#send(message);
  }

  /** Whether what the buffer holds of what is under way is ours; undefined where the bus does not tell. */
  async #isOurs(lastSequence: number): Promise<boolean | undefined> {
    const { bus, frames } = this.#options;
    if (lastSequence > this.#sequence) return false;
    const places = this.#flights.map(({ message }) => this.#placeOf(message));
    return await holdsFrames(bus, frames, places).catch(() => undefined);
  }

  #placeOf({ sequence, ...message }: Message): FramePlace {
    const { run, epoch } = this.#options;
    return { sequence, run, epoch, n: message.kind === 'frame' ? message.frame.header.n : undefined };
  }

  async #untilReleased(): Promise<void> {
    if (!(await this.#bell.wait(SILENCE_MS))) await this.#room.ask();
  }
}
