/** Whether a run goes on after its source broke or could not be opened (EX-4, EX-8), or is over. Pure. */

import type { Fault } from '@stream-infer/core/fault';
import { sourceKind } from '@stream-infer/core/source-kind';
import type { SourceReason } from '@stream-infer/core/source-state';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { mayReturn, sourceReason } from './source-reason.ts';

export type Verdict = { readonly kind: 'over' } | { readonly kind: 'again'; readonly reason: SourceReason };

/**
 * Why a run is ended from outside: its stream was removed or changed; the service stops; another ingest is to have it; another ingest plays
 * what it was offered; another ingest has taken it.
 */
export type StopReason = 'removed' | 'stopping' | 'moved' | 'handed-over' | 'superseded';

const OVER: Verdict = { kind: 'over' };
const again = (reason: SourceReason): Verdict => ({ kind: 'again', reason });

export type Played = {
  /** Undefined where the source came to its end. */
  readonly fault: Fault | undefined;
  /** Whether ffmpeg was ended by somebody else. */
  readonly wasKilled: boolean;
  /** Whether frames came at the source's own time. */
  readonly live: boolean;
  /** Whether several epochs in a row came no further than the ones before. */
  readonly isFruitless: boolean;
};

/** After frames came, or were to come. */
export function afterPlaying({ mode, once }: StreamSpec, { fault, wasKilled, live, isFruitless }: Played): Verdict {
  if (fault === undefined) return OVER;
  const reason = sourceReason(fault);
  if (fault.code === 'BUS_FAILED') return again(reason);
  if (live && mode === 'realtime') return once && reason === 'ended' ? OVER : again(reason);
  return wasKilled && !isFruitless ? again('decode-errors') : OVER;
}

/**
 * Where a source could not be opened, or its buffer not be made. A stream that plays once is not waited for: whoever asked for it is there, and is
 * told. @param hasPlayed whether an earlier epoch of the run did.
 */
export function afterOpening({ mode, once, source }: StreamSpec, fault: Fault, hasPlayed: boolean): Verdict {
  const reason = sourceReason(fault);
  if (fault.code === 'BUS_FAILED') return again(reason);
  if (!mayReturn(reason) || (once && !hasPlayed)) return OVER;
  if (reason === 'no-room') return again(reason);
  const isFile = source !== undefined && sourceKind(source) === 'file';
  return mode === 'realtime' && !isFile ? again(reason) : OVER;
}
