/**
 * Why a message of a frame buffer cannot be the next frame of its run, or its end marker: anybody may publish there, and what is taken for a
 * frame is what an algorithm is asked about. Pure.
 */

import type { FrameHeader } from '@stream-infer/bus/frame-headers';
import type { ReadFrame } from '@stream-infer/bus/frame-reader';
import type { PlayingRun } from './playing-run.ts';

/** Undefined where it can. @param lastN of the newest frame before it, 0 where there is none. */
export function frameFlaw(run: PlayingRun, { header, bytes }: ReadFrame, lastN: number): string | undefined {
  if (header.run !== run.run) return 'it is of another run';
  if (header.epoch !== run.epoch) return 'it is of another epoch';
  if (header.kind === 'end')
    return header.end.lastPublished < lastN ? 'it ends the run before its newest frame' : undefined;
  if (header.n <= lastN || header.previous >= header.n) return 'its number goes back';
  if (!hasFormat(run, header)) return 'its size or format is not that of the run';
  const { encoding, bytesPerFrame } = run.state.frame;
  if (encoding === 'raw' && bytes !== bytesPerFrame) return 'it has not the bytes of its size';
  return undefined;
}

function hasFormat({ state: { frame } }: PlayingRun, { size, pixelFormat, encoding }: FrameHeader): boolean {
  const hasSize = size.width === frame.width && size.height === frame.height;
  return hasSize && pixelFormat === frame.pixelFormat && encoding === frame.encoding;
}
