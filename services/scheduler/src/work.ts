/**
 * One invocation on its way: made by a lane, carried by the dispatcher to a runner, settled once with what became of it.
 */

import type { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';
import type { Result } from '@stream-infer/proto/stream_infer/v1/result';

export type WorkOutcome =
  | { readonly kind: 'answered'; readonly result: Result }
  /** The conversation with the runner broke. `mayHaveStarted`: sending it again may repeat what it did. */
  | { readonly kind: 'lost'; readonly mayHaveStarted: boolean };

export type Work = {
  readonly invocation: Invocation;
  /** Called once. Never throws. */
  settle(outcome: WorkOutcome): void;
};

/** Something that has work to send: one algorithm on one stream. */
export type WorkSource = {
  readonly definition: string;
  /** The next invocation; undefined where none is to be sent now. */
  take(): Work | undefined;
};
