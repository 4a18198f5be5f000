/**
 * The headers of one epoch's frames, in order, and how they ended: by the end marker, or without one, since an ingest may die and a
 * buffer may be deleted under its reader. A message that is not this run's next frame is told of and passed over: where it stands in the
 * place of one, that one's successor shows the gap.
 */

import type { Bus } from '@stream-infer/bus/bus';
import { type ReadFrame, readFrames } from '@stream-infer/bus/frame-reader';
import { Fault, type FaultJson } from '@stream-infer/core/fault';
import type { SourceEnd } from '@stream-infer/core/run';
import { frameFlaw } from './frame-flaw.ts';
import type { BufferedFrame } from './invocation-message.ts';
import type { PlayingRun } from './playing-run.ts';

/** What the registry says of the run. */
export type Registered =
  | { readonly kind: 'playing' }
  /**
   * Its source has ended: the end marker stands in the buffer. `removed`: its stream is no more, so nobody can decode it again; where its ingest
   * had died, or was short of time, no marker comes.
   */
  | { readonly kind: 'ended'; readonly removed: boolean }
  /** It was stopped: a marker may not come. */
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly fault: FaultJson }
  /** The stream has a younger one. */
  | { readonly kind: 'superseded' };

export type FeedEnd =
  | { readonly kind: 'marker'; readonly end: SourceEnd }
  /** No marker came and none will; `end` is what the frames themselves tell. No fault where the stream was stopped. */
  | { readonly kind: 'missing'; readonly end: SourceEnd; readonly fault: Fault | undefined }
  /** Frames are in the buffer no more, or not in order, and the run goes on: the next epoch has what is wanted (EX-4). */
  | { readonly kind: 'gone' }
  | { readonly kind: 'stopped' };

export type FrameFeedOptions = {
  readonly bus: Bus;
  readonly run: PlayingRun;
  /** Names this scheduler on the bus. */
  readonly replica: string;
  /** Whether nothing is due that is not answered: then a silent source has nothing more to say. */
  isIdle(): boolean;
};

/** How long a source that is not to come to its end, or whose buffer is gone, may leave us without a word. */
const SILENCE_MS = 5_000;
const CHECK_MS = 1_000;

export class FrameFeed {
  readonly #options: FrameFeedOptions;
  readonly #stopped = new AbortController();
  readonly #reading = new AbortController();
  #registered: Registered = { kind: 'playing' };
  #isLost = false;
  #frames = 0;
  #last: BufferedFrame | undefined;
  #lastHeardMs = performance.now();

  constructor(options: FrameFeedOptions) {
    this.#options = options;
  }

  registered(registered: Registered): void {
    this.#registered = registered;
  }

  /** Whether frames are missing. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** What was read is no use: frames are missing. Idempotent. */
  lose(): void {
    this.#isLost = true;
    this.#reading.abort();
  }

  /** Reads nothing more. Idempotent. */
  stop(): void {
    this.#stopped.abort();
    this.#reading.abort();
  }

  /** Calls back for each frame; to be called once. Rejects where `onFrame` throws. */
  async read(onFrame: (frame: BufferedFrame) => void): Promise<FeedEnd> {
    const { bus, run, replica } = this.#options;
    const { stream, epoch } = run;
    const checking = setInterval(() => this.#checkSilence(), CHECK_MS);
    try {
      for await (const read of readFrames(bus, {
        replica,
        stream,
        epoch,
        from: 1,
        signal: this.#reading.signal,
      })) {
        if (!this.#isOurs(read)) continue;
        const { sequence, header } = read;
        if (header.kind === 'end') return { kind: 'marker', end: header.end };
        this.#frames += 1;
        this.#last = { n: header.n, sequence, header };
        this.#lastHeardMs = performance.now();
        onFrame(this.#last);
      }
    } finally {
      clearInterval(checking);
    }
    return this.#stopped.signal.aborted ? { kind: 'stopped' } : this.withoutMarker();
  }

  #isOurs(read: ReadFrame): boolean {
    const { bus, run } = this.#options;
    const flaw = frameFlaw(run, read, this.#last?.n ?? 0);
    if (flaw === undefined) return true;
    bus.protocolBroken(`a message in ${run.state.frames} is passed over, since ${flaw}: who publishes there?`);
    return false;
  }

  /** What the frames themselves tell of their source: at least so much. */
  get soFar(): SourceEnd {
    const n = this.#last?.n ?? 0;
    const decoded = this.#last === undefined ? 0 : this.#last.header.sourceIndex + 1;
    return { lastPublished: n, lastPlayed: n, decoded, played: this.#frames, published: this.#frames };
  }

  /** How it is with a run whose end marker cannot be read, as the registry tells now. */
  withoutMarker(): Exclude<FeedEnd, { kind: 'marker' }> {
    const { stream, spec } = this.#options.run;
    const { kind } = this.#registered;
    const goesOn = kind === 'playing' || (kind === 'ended' && !this.#registered.removed && spec.mode === 'offline');
    if (goesOn) return { kind: 'gone' };
    return { kind: 'missing', end: this.soFar, fault: missingEndFault(stream, this.#registered) };
  }

  #checkSilence(): void {
    const { kind } = this.#registered;
    if (kind === 'playing' || (kind === 'ended' && !this.#registered.removed)) return;
    const silent = performance.now() - this.#lastHeardMs > SILENCE_MS;
    if (silent && this.#options.isIdle()) this.#reading.abort();
  }
}

function missingEndFault(stream: string, registered: Registered): Fault | undefined {
  switch (registered.kind) {
    case 'playing':
    case 'ended':
      if (registered.kind === 'ended' && registered.removed)
        return new Fault('SOURCE_LOST', `stream ${stream} was removed before the end of this run`);
      return new Fault('BUS_FAILED', `the frame buffer of stream ${stream} is gone before it was read to its end`);
    case 'superseded':
      return new Fault('SOURCE_LOST', `stream ${stream} was started anew before this run of it ended`);
    case 'failed':
      return new Fault(registered.fault.code, registered.fault.message);
    case 'stopped':
      return undefined;
  }
}
