/** What the built-in algorithms take of a window. */
import type { Frame } from '@stream-infer/algorithm';
import { Fault } from '@stream-infer/core/fault';

/** The newest frame, which is the last. */
export function newestFrame(frames: readonly Frame[]): Frame {
  const frame = frames.at(-1);
  if (frame === undefined) throw new Fault('INTERNAL', 'a window without frames was handed to an algorithm');
  return frame;
}
