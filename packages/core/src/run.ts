/**
 * A run is one playing of a stream, in one or several epochs: an epoch is one ingest's uninterrupted turn at it (EX-1). The ingest that claimed the stream writes the run into the KV bucket
 * `runs` once the source is probed; the scheduler reads there all that it needs, so that both follow one plan.
 */

import type { FaultJson } from './fault.ts';
import type { PixelFormat } from './pixel-format.ts';
import type { Encoding, StreamSpec } from './stream-spec.ts';

/** `index`: constant rate, sampled by counting frames. `time`: variable rate or live, sampled by presentation time. */
export type Sampling = 'index' | 'time';

/** What probing the source told. */
export type SourceFacts = {
  /** The decoded picture after rotation, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Frames per second, as a fraction. */
  readonly fps: string;
  readonly sampling: Sampling;
  /** Time base of the presentation times, seconds per tick, as a fraction. */
  readonly timeBase: string;
  readonly live: boolean;
  readonly codec: string;
  /** Index of the video stream among all streams of the source; absent: 0. */
  readonly streamIndex?: number;
  /** The source gives its frames no times: a frame's is when it was decoded. */
  readonly clocked?: true;
  readonly durationSeconds?: number;
};

/** Geometry of the published frames. */
export type FrameFormat = {
  readonly width: number;
  readonly height: number;
  readonly pixelFormat: PixelFormat;
  readonly encoding: Encoding;
  /** Of the raw pixels, whatever the encoding. */
  readonly bytesPerFrame: number;
};

export type Run = {
  readonly run: string;
  readonly stream: string;
  /** The fencing token: the KV revision of the claim. */
  readonly epoch: number;
  /** The ingest that owns this epoch. */
  readonly owner: string;
  readonly spec: StreamSpec;
  /** KV revision of the spec in the bucket `streams`. */
  readonly specRevision: number;
  readonly startedAtMs: number;
  /** Epochs before this one whose buffers may still stand; whoever opens an epoch deletes them, before or after. Absent: none. */
  readonly left?: readonly number[];
  /** With an empty owner: how far the run had come when its ingest gave it back, or offered it. */
  readonly newest?: NewestFrame;
  readonly state: RunState;
};

/** The newest played frame of a run, and when it came, milliseconds since 1970. */
export type NewestFrame = { readonly n: number; readonly atMs: number };

/** What is known of a run once its source is probed. */
export type RunFacts = {
  readonly source: SourceFacts;
  readonly frame: FrameFormat;
  /** Name of the JetStream stream that holds this epoch's frames. */
  readonly frames: string;
  /** Capacity of the buffer in published frames (EX-3). */
  readonly capacity: number;
  /** Lines for the user: what was decided for them, such as a reduced size. */
  readonly notices: readonly string[];
};

export type RunState =
  /** With what an earlier epoch found, where the source is live: whoever plays it next need not find out again. */
  | { readonly kind: 'claimed'; readonly source?: SourceFacts }
  | ({ readonly kind: 'playing' } & RunFacts)
  /**
   * Nothing more is published. With facts where frames were: a scheduler that comes late still answers them. `removed`: its stream is no more, or is
   * another, so that no epoch follows, and once its end is published the run is removed from the registry.
   */
  | { readonly kind: 'ended'; readonly facts?: RunFacts; readonly removed?: true }
  | { readonly kind: 'failed'; readonly fault: FaultJson };

/** What the ingest tells about a run's end, in the headers of the end marker. */
export type SourceEnd = {
  /** n of the last frame published, 0 if none. */
  readonly lastPublished: number;
  /** n of the last frame played, 0 if none. */
  readonly lastPlayed: number;
  readonly decoded: number;
  readonly played: number;
  readonly published: number;
  /** Why it ended other than by its source's end. */
  readonly fault?: FaultJson;
};
