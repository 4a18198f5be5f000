/** The size of frames that a stream asks for. */

import type { StreamSpec } from './stream-spec.ts';

export type Size = { readonly width: number; readonly height: number };

/** One side completed in the shape of the source where only the other is given; undefined where neither is. */
export function askedSize(
  { width, height, pixelFormat }: Pick<StreamSpec, 'width' | 'height' | 'pixelFormat'>,
  source: Size,
): Size | undefined {
  const step = pixelFormat === 'yuv420p' ? 2 : 1;
  const completed = (given: number, own: number, other: number): number =>
    Math.max(step, Math.round((given * other) / own / step) * step);
  if (width !== undefined && height !== undefined) return { width, height };
  if (width !== undefined) return { width, height: completed(width, source.width, source.height) };
  if (height !== undefined) return { width: completed(height, source.height, source.width), height };
  return undefined;
}
