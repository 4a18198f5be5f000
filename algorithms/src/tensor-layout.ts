/**
 * How frames lie in a tensor: the order of its axes, and the axis along which the frames of a window follow each other.
 * Axes are named by letters: n the batch, t time, c channels, h rows, w columns; the last varies fastest.
 */
import type { Size } from './preprocess/placement.ts';
import type { TensorStrides } from './preprocess/tensor-writer.ts';

export const LAYOUTS = ['nchw', 'nhwc', 'chw', 'hwc', 'nhw', 'hw', 'ntchw', 'ncthw', 'nthwc', 'tchw', 'thwc'] as const;
export type Layout = (typeof LAYOUTS)[number];

/** `newest` takes the newest frame alone; the others take the whole window, oldest first. */
export const STACKS = ['newest', 'channels', 'time', 'batch'] as const;
export type Stack = (typeof STACKS)[number];

export type TensorLayout = {
  readonly dims: readonly number[];
  readonly strides: TensorStrides;
  /** Elements from one frame of a window to the next. */
  readonly frameStride: number;
  /** Elements from one window of a batch to the next. */
  readonly windowStride: number;
};

export const defaultStack = (layout: Layout): Stack => (layout.includes('t') ? 'time' : 'newest');

/** Whether the windows of a batch can follow each other along the batch axis. */
export const takesWindows = (layout: Layout, stack: Stack): boolean => layout.includes('n') && stack !== 'batch';

/** The axis that a stack needs and the layout has not; null where they agree. */
export function missingAxis(layout: Layout, stack: Stack, channels: 1 | 3): 'n' | 't' | 'c' | null {
  if (stack === 'batch' && !layout.includes('n')) return 'n';
  if (stack === 'time' && !layout.includes('t')) return 't';
  if ((stack === 'channels' || channels > 1) && !layout.includes('c')) return 'c';
  return null;
}

/** The tensor of so many frames of this size in each of so many windows; of more than one where `takesWindows` holds. */
export function tensorLayout(
  layout: Layout,
  stack: Stack,
  { windows = 1, frames }: { readonly windows?: number; readonly frames: number },
  size: Size,
  channels: 1 | 3,
): TensorLayout {
  const extents: Record<string, number> = {
    n: stack === 'batch' ? frames : windows,
    t: stack === 'time' ? frames : 1,
    c: stack === 'channels' ? frames * channels : channels,
    h: size.height,
    w: size.width,
  };
  const axes = layout.split('');
  const dims = axes.map((axis) => extents[axis] as number);
  const stride = (axis: string): number => {
    const at = axes.indexOf(axis);
    return at < 0 ? 0 : dims.slice(at + 1).reduce((product, dim) => product * dim, 1);
  };
  const frameStrides: Record<Stack, number> = {
    newest: 0,
    channels: channels * stride('c'),
    time: stride('t'),
    batch: stride('n'),
  };
  return {
    dims,
    strides: { channel: stride('c'), row: stride('h'), pixel: stride('w') },
    frameStride: frameStrides[stack],
    windowStride: stride('n'),
  };
}
