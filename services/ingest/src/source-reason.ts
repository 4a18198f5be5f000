/** Which reason a source's state tells of a fault: the fault's own where it has one, else what its code means. */

import type { Fault, FaultCode } from '@stream-infer/core/fault';
import type { SourceReason } from '@stream-infer/core/source-state';
import { SourceFault } from './source-fault.ts';

/** Faults that are not of the source's own telling. All others are of how the stream is configured. */
const REASONS: Partial<Record<FaultCode, SourceReason>> = {
  SOURCE_NOT_FOUND: 'not-found',
  SOURCE_NO_VIDEOS: 'not-found',
  SOURCE_EMPTY: 'decode-errors',
  SOURCE_NOT_MEDIA: 'decode-errors',
  SOURCE_DAMAGED: 'decode-errors',
  SOURCE_NO_VIDEO: 'no-frames',
  SOURCE_NO_FRAMES: 'no-frames',
  SOURCE_UNREACHABLE: 'refused',
  SOURCE_UNAUTHORIZED: 'unauthorized',
  SOURCE_LOST: 'ended',
  BUS_NO_ROOM: 'no-room',
  BUS_FAILED: 'bus-away',
  NATS_UNREACHABLE: 'bus-away',
  // What ffmpeg told of its frames did not fit together.
  INTERNAL: 'decode-errors',
};

export const sourceReason = (fault: Fault): SourceReason =>
  fault instanceof SourceFault ? fault.reason : (REASONS[fault.code] ?? 'invalid');

/** Whether a live source that is lost for this reason may come back by itself, and is to be opened again. */
export const mayReturn = (reason: SourceReason): boolean => reason !== 'invalid' && reason !== 'moved';

/** Whether what is known of the source holds in the next epoch: the reason for it is not the source's. */
export const isStillThere = (reason: SourceReason): boolean => reason === 'bus-away' || reason === 'no-room';
