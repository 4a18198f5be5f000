/** What the log tells of a stream that plays. */

import type { Logger } from '@stream-infer/service-kit/logger';
import type { Size } from './geometry.ts';
import type { RunClaim } from './run-claim.ts';
import type { PreparedStream } from './stream-preparation.ts';

/** An epoch plays from now on. */
export function logPlaying(logger: Logger, { epoch, run }: RunClaim, prepared: PreparedStream): void {
  const { facts, frame, capacity, notices, source, start, isAssumed } = prepared;
  const { width, height, pixelFormat, encoding } = frame;
  const { codec, sampling, fps } = facts;
  for (const notice of notices) logger.info(notice);
  const how = { epoch, start, source: source.label, mode: run.spec.mode, probed: !isAssumed };
  logger.info({ ...how, codec, sampling, fps, width, height, pixelFormat, encoding, capacity }, 'playing');
}

/** The source's picture has this size now. */
export const logResized = (logger: Logger, { width, height }: Size): void =>
  logger.warn({ width, height }, 'the source changed the size of its picture: frames keep theirs');
