/**
 * What becomes of every frame that was decoded, and of every invocation that was due: one of a closed set, with a reason where an
 * operator needs to know which of several (I1, EX-11). The ingest counts the fates of frames that it does not publish, the scheduler those
 * of frames that it was to read, so that no frame is counted twice.
 */

import type { Outcome } from './ledger.ts';

/**
 * - `not-needed`: no window wants it. Ingest: `before-start`, `skipped` by the play rate, `no-algorithm`, `repeated` (an earlier epoch
 *   published it). Scheduler: `no-window`, since none that was due held it.
 * - `used`: an algorithm was invoked on a window that held it.
 * - `replaced`: a newer window took the place of the last one that held it.
 * - `expired`: what held it came too late: `stale`, `stopped`; `epoch-over`, which offline an epoch to come mends.
 * - `evicted`, realtime: `bus-behind`, given up before it was published; `unread`, dropped by the buffer before the scheduler read of
 *   it; `frame-gone`, before the runner fetched it, or another frame of its window.
 * - `gap`: it was published, and was not in the buffer when the scheduler came to read it: `unread`.
 * - `lost-in-decoder`: decoded, and never came out of ffmpeg, which was ended or died.
 * - `lost-with-process`: what became of it is known to none that lives.
 */
export type FrameFate =
  | 'not-needed'
  | 'used'
  | 'replaced'
  | 'expired'
  | 'evicted'
  | 'gap'
  | 'lost-in-decoder'
  | 'lost-with-process';

/**
 * - `completed`: its result is published.
 * - `dead-lettered`: its error is, and a dead letter; `failed`: its error is, and no letter, as in a replay.
 * - `replaced`: by a newer window.
 * - `expired`: it has no result, and none would be of use: `stale`, `stopped`, `epoch-over`, `frame-lost`, `frame-gone`, `results-full`.
 * - `lost-with-process`: the scheduler that had it died.
 */
export type InvocationFate = 'completed' | 'failed' | 'dead-lettered' | 'replaced' | 'expired' | 'lost-with-process';

export type Fated<F extends string> = {
  readonly fate: F;
  /** Empty where the fate says all. */
  readonly reason: string;
};

export function invocationFate(outcome: Outcome): Fated<InvocationFate> {
  switch (outcome) {
    case 'completed':
    case 'failed':
    case 'dead-lettered':
    case 'replaced':
    case 'lost-with-process':
      return { fate: outcome, reason: '' };
    case 'stale':
    case 'frame-lost':
    case 'frame-gone':
    case 'results-full':
    case 'epoch-over':
    case 'stopped':
      return { fate: 'expired', reason: outcome };
  }
}

/** Of the frames of a window with this outcome, unless another window used them. */
export function frameFate(outcome: Outcome): Fated<FrameFate> {
  switch (outcome) {
    case 'completed':
    case 'failed':
    case 'dead-lettered':
    case 'results-full':
      return { fate: 'used', reason: '' };
    case 'frame-gone':
      return { fate: 'evicted', reason: outcome };
    case 'replaced':
    case 'lost-with-process':
      return { fate: outcome, reason: '' };
    case 'stale':
    case 'frame-lost':
    case 'epoch-over':
    case 'stopped':
      return { fate: 'expired', reason: outcome };
  }
}
