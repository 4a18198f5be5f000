/** Why a source ended: by itself, as a file does, or by what fault. */

import type { Fault } from '@stream-infer/core/fault';
import { toNumber } from '@stream-infer/core/rational';
import type { DecodeErrors } from './decode-errors.ts';
import type { Exit } from './decoder.ts';
import type { FrameLedger } from './frame-ledger.ts';
import { packetTimes } from './packet-times.ts';
import { presentationSeconds } from './presentation-time.ts';
import {
  damageFault,
  lastError,
  lossReason,
  lostFault,
  noFramesFault,
  openFault,
  positionFault,
} from './source-fault.ts';
import type { PreparedStream } from './stream-preparation.ts';

export type SourceEnding = {
  readonly prepared: PreparedStream;
  readonly ledger: FrameLedger;
  readonly errors: DecodeErrors;
  readonly exit: Exit;
};

/** Counting the packets of a damaged file reads all of it. */
const COUNT_LIMIT_MS = 60_000;

/** The fault that the end marker carries; undefined where the source ended as it should. */
export async function sourceEndFault(
  ending: SourceEnding,
  ffprobePath: string,
  signal: AbortSignal,
): Promise<Fault | undefined> {
  const { prepared, ledger, errors, exit } = ending;
  const { source, facts, plan } = prepared;
  if (ledger.decoded === 0) {
    if (source.kind !== 'file' && exit.code !== 0) return openFault(source, errors.text);
    return noFramesFault(source, facts.live && errors.count === 0 ? 'no-frames' : 'decode-errors');
  }
  if (facts.live && source.generated && exit.code === 0) return undefined;
  if (facts.live) return lostFault(source, position(ending), why(ending), lossReason(errors.text, exit.code));
  if (exit.code === null) return lostFault(source, position(ending), why(ending));
  if (ledger.played === 0) return positionFault(source, toNumber(plan.position), position(ending));
  if (exit.code === 0 && errors.firstDamage === undefined) return undefined;
  const expected = await expectedFrames(prepared, ffprobePath, signal);
  const atTicks = lossTicks(ending, expected);
  const atSeconds = atTicks === undefined ? undefined : presentationSeconds(atTicks, prepared.timeBase);
  const announced = facts.durationSeconds;
  const lasted = announced === undefined ? undefined : { came: position(ending), announced };
  return damageFault(source, { expected, decoded: ledger.decoded, atSeconds, lasted });
}

/**
 * Where the first frame is missing: in the middle where a gap tells, else at the end; or where the first complaint came, if none is
 * missing or the times tell nothing.
 */
function lossTicks({ prepared, ledger, errors }: SourceEnding, expected: number | undefined): number | undefined {
  const isMissing = expected === undefined || expected > ledger.decoded;
  if (isMissing && prepared.plan.sampling === 'index') return ledger.firstLossTicks ?? ledger.nextTicks;
  return errors.firstDamage?.ptsTicks ?? ledger.lastPtsTicks;
}

function why({ prepared, errors, exit }: SourceEnding): string {
  if (exit.signal) return `ffmpeg was ended by ${exit.signal}`;
  const said = lastError(prepared.source, errors.text);
  return said === '' ? 'it sends no more' : `ffmpeg says "${said}"`;
}

/** Seconds played. */
function position({ prepared, ledger: { firstPtsTicks = 0, lastPtsTicks = 0 } }: SourceEnding): number {
  return presentationSeconds(lastPtsTicks - firstPtsTicks, prepared.timeBase);
}

/** As many frames as there are packets for, or as the container counts, which also tells of what is cut off. */
async function expectedFrames(
  { source, facts, frameCount }: PreparedStream,
  ffprobePath: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (source.kind !== 'file') return frameCount;
  const range = { streamIndex: facts.streamIndex ?? 0 };
  const { packets, discarded } = await packetTimes({ ffprobePath, source, range, timeoutMs: COUNT_LIMIT_MS, signal });
  return Math.max(frameCount ?? 0, packets) - discarded;
}
