/** A frame of one byte a pixel, for algorithms that are called directly. */
import type { Frame } from '@stream-infer/algorithm';

/** `source` is the size of the picture before it was scaled; the frame's own unless given. */
export const grayFrame = (width: number, height: number, data: Uint8Array, source = { width, height }): Frame => ({
  index: 0,
  n: 1,
  position: 0,
  timestampMs: 0,
  width,
  height,
  pixelFormat: 'gray',
  data,
  sourceWidth: source.width,
  sourceHeight: source.height,
});
