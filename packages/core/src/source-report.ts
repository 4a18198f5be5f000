/** What probing a source told, for people: what `stream-infer probe` prints. */

import type { SourceFacts } from './run.ts';

export type SourceReport = {
  /** Without credentials. */
  readonly source: string;
  readonly kind: 'file' | 'device' | 'url';
  readonly facts: SourceFacts;
  /** Frames, counted in a file; null where that is not possible. */
  readonly frames: number | null;
  /** Frames that can be decoded without others. */
  readonly keyframes: number | null;
  /** Degrees by which the picture is turned to be shown; facts has its size after that. */
  readonly rotation: number;
};
