/** What probing a source told, for people: what `stream-infer probe` prints. */

import type { SourceFacts } from './run.ts';

/** One of the video streams of a source, as its container tells of it. */
export type VideoStreamReport = {
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  /** Frames a second on average; null where it does not tell. */
  readonly fps: number | null;
};

export type SourceReport = {
  /** Without credentials. */
  readonly source: string;
  readonly kind: 'file' | 'device' | 'url';
  /** Of the first video stream. */
  readonly facts: SourceFacts;
  /** In the order that `videoStream` counts in. */
  readonly videoStreams: readonly VideoStreamReport[];
  /** Frames, counted in a file; null where that is not possible. */
  readonly frames: number | null;
  /** Frames that can be decoded without others. */
  readonly keyframes: number | null;
  /** Degrees by which the picture is turned to be shown; facts has its size after that. */
  readonly rotation: number;
};
