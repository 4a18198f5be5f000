/**
 * A stream as the registry (KV bucket `streams`) holds it: everything resolved that the configuration leaves to defaults,
 * so that ingest and scheduler derive the same plan from it. What depends on the source (its size, its rate) is not here
 * but in the run (run.ts).
 */

import type { PixelFormat } from './pixel-format.ts';

export type Mode = 'offline' | 'realtime';
export type Encoding = 'raw' | 'jpeg';

/** Where a source's URL is found by the ingest, so that a password is in no registry. */
export type SourceFrom = { readonly env: string } | { readonly file: string };

/** An algorithm as one stream runs it. */
export type StreamAlgorithm = {
  /** Results are published under this name; unique within the stream. */
  readonly name: string;
  /** The definition that runners serve. */
  readonly definition: string;
  /** 0 only with `after`: its windows hold no frame. */
  readonly frameCount: number;
  readonly frameStep: number;
  /** Names of results of this stream: it is due where all of these have one. */
  readonly after?: readonly string[];
  /** Seconds, a decimal or fraction (rational.ts). Exactly one of interval, intervalFrames and after is given. */
  readonly interval?: string;
  readonly intervalFrames?: number;
  readonly timeoutMs: number;
  readonly maxInFlight: number;
  /** How often a window is tried before its result is an error. */
  readonly maxAttempts: number;
  /** Realtime: milliseconds from capture on; the interval, or LEAST_STALENESS_MS, where absent. */
  readonly maxStalenessMs?: number;
};

/** What a stream that is played again is to mend: of these windows the successes are published in place of the errors, and of no others. */
export type Replay = {
  /** Whose windows they are. */
  readonly stream: string;
  readonly run: string;
  /** Of the windows' newest frames. */
  readonly ns: readonly number[];
};

export type StreamSpec = {
  readonly id: string;
  /** File, device or URL; exactly one of source and sourceFrom is given. */
  readonly source?: string;
  readonly sourceFrom?: SourceFrom;
  readonly mode: Mode;
  /**
   * A source that cannot be opened at first, or ends, ends the run; without it a live source is opened again for ever. Whoever waits for
   * the run sets it.
   */
  readonly once?: true;
  /** Play rate as a fraction; the source's own where absent. */
  readonly fps?: string;
  /** Pixels; one alone keeps the shape of the source. */
  readonly width?: number;
  readonly height?: number;
  readonly pixelFormat: PixelFormat;
  readonly encoding: Encoding;
  /** Start, in seconds, as a fraction. */
  readonly position: string;
  /** Played frames that a window may span; absent: as many as the largest window needs. */
  readonly buffer?: number;
  /** Which of the source's video streams, from 0. */
  readonly videoStream: number;
  readonly algorithms: readonly StreamAlgorithm[];
  /** A replay has one algorithm, and is offline. */
  readonly replay?: Replay;
};
