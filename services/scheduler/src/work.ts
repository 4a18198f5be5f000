/**
 * One invocation on its way: made by a lane, carried by the dispatcher to a runner, settled once with what became of it.
 */

import type { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';
import type { Result } from '@stream-infer/proto/stream_infer/v1/result';

export type WorkOutcome =
  | { readonly kind: 'answered'; readonly result: Result }
  /** The runner lives, and did not answer in time. */
  | { readonly kind: 'overdue' }
  /** It never left. */
  | { readonly kind: 'unsent' }
  /** The conversation with the runner broke: it may have run. */
  | {
      readonly kind: 'lost';
      /** Whether the runner held nothing else of this scheduler. */
      readonly alone: boolean;
      /** Whether it is not the window's doing: the runner turns out to live, or was draining. Never rejects. */
      readonly excused: Promise<boolean>;
    };

export type Work = {
  readonly invocation: Invocation;
  /** The runner may hold nothing else until it is settled (core's attempts.ts). */
  readonly alone: boolean;
  /** Called once. Never throws. */
  settle(outcome: WorkOutcome): void;
};

/** Something that has work to send: one algorithm on one stream. */
export type WorkSource = {
  readonly definition: string;
  /** Whether its next invocation is to be sent alone. */
  readonly wantsAlone: boolean;
  /** The next invocation; undefined where none is to be sent now. */
  take(): Work | undefined;
};
