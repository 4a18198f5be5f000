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

/** A runner, as it is needed here. */
export type Carrier = {
  /** Whether it takes work at all. */
  readonly isOpen: boolean;
  /** What it may be sent of a definition now. */
  credits(definition: string): number;
  /** Whether it takes work of a definition, though perhaps not now. */
  serves(definition: string): boolean;
  /** Whether it runs this definition with an instance for each stream. */
  remembers(definition: string): boolean;
  /** How many invocations it holds. */
  readonly holds: number;
  /** Uses one credit. */
  send(work: Work): void;
  /** The work is no longer wanted; its outcome is not told any more. */
  cancel(work: Work): void;
  /** Something newer is to take the work's place: it comes back as not started, unless it has started. */
  recall(work: Work): void;
  /** What it remembers of a run is wanted no more. */
  forget(definition: string, place: Pick<Invocation, 'stream' | 'run' | 'algorithm'>): void;
};

/** Something that has work to send: one algorithm on one stream. */
export type WorkSource = {
  readonly definition: string;
  /** Whether its next invocation is to be sent alone. */
  readonly wantsAlone: boolean;
  /** The runner that all of its windows go to, while it lives; undefined where any may have the next. */
  readonly home?: Carrier | undefined;
  /** The next invocation, for this runner; undefined where none is to be sent now. */
  take(carrier: Carrier): Work | undefined;
};
