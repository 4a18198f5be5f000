/** What is kept of an invocation whose result is an error for good: enough to see why, and to run it again once its cause is mended. */

import type { FaultJson } from './fault.ts';
import type { Mode } from './stream-spec.ts';

export type DeadLetter = {
  readonly stream: string;
  readonly run: string;
  readonly algorithm: string;
  /** The definition that runners serve. */
  readonly definition: string;
  /** Of the window's newest frame, as is `key`. */
  readonly n: number;
  readonly key: string;
  readonly mode: Mode;
  /** The window's frames, oldest first. */
  readonly window: readonly { readonly n: number; readonly sourceIndex: number; readonly timestampMs: number }[];
  readonly error: FaultJson;
  /** How often it was sent. */
  readonly attempts: number;
  /** Of the spec that decided which frames these are. */
  readonly specHash: string;
  /** Wall clock, milliseconds since 1970. */
  readonly diedAtMs: number;
};
