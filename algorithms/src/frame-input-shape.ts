/**
 * How the frames of a window fill one input of a model: its declaration checked against the model's own shape. Pure, so
 * that every way in which the two can disagree is tested without a model.
 */
import { Fault } from '@stream-infer/core/fault';
import type { TensorInfo } from './model-session.ts';
import type { FrameInputOptions } from './onnx-options.ts';
import type { Size } from './preprocess/placement.ts';
import { channelCount } from './preprocess/tensor-writer.ts';
import { defaultStack, type Layout, missingAxis, type Stack, tensorLayout } from './tensor-layout.ts';

export type FrameInputShape = {
  readonly layout: Layout;
  readonly stack: Stack;
  readonly size: Size;
  readonly channels: 1 | 3;
  /** How many frames the model takes at once; null where it takes any number. */
  readonly frames: number | null;
};

/** Makes a fault of a problem that begins with the key. */
export type Refuse = (problem: string) => Fault;

/** Faults: MODEL_SHAPE, naming the model at `path`; what `refuse` makes, for a declaration that disagrees. */
export function frameInputShape(
  path: string,
  info: TensorInfo,
  options: FrameInputOptions,
  refuse: Refuse,
): FrameInputShape {
  const { layout } = options;
  const channels = channelCount(options.channels);
  const stack = options.stack ?? defaultStack(layout);
  const missing = missingAxis(layout, stack, channels);
  if (missing !== null) {
    const wanted = `for channels "${options.channels}" and stack "${stack}"`;
    throw refuse(`layout is "${layout}": it must have the axis ${missing} ${wanted}`);
  }
  if (info.shape.length !== layout.length) {
    const axes = `it must have ${info.shape.length} axes`;
    throw refuse(`layout is "${layout}": ${axes}, as input "${info.name}" [${info.shape.join(', ')}] has`);
  }
  const size = inputSize(info, options, refuse);
  const frames = framesTaken(info, layout, stack, channels);
  const { dims } = tensorLayout(layout, stack, { frames: frames ?? 1 }, size, channels);
  if (info.shape.some((dim, at) => typeof dim === 'number' && dim !== dims[at])) {
    throw new Fault(
      'MODEL_SHAPE',
      `model ${path}: input "${info.name}" takes [${info.shape.join(', ')}], ` +
        `but layout "${layout}" with channels "${options.channels}" and stack "${stack}" makes [${dims.join(', ')}]`,
    );
  }
  return { layout, stack, size, channels, frames };
}

function inputSize(info: TensorInfo, options: FrameInputOptions, refuse: Refuse): Size {
  const side = (axis: 'h' | 'w', key: 'height' | 'width'): number => {
    const dim = info.shape[options.layout.indexOf(axis)];
    const asked = options[key];
    if (typeof dim === 'number') {
      if (asked === undefined || asked === dim) return dim;
      throw refuse(`${key} is ${asked}: it must be ${dim}, as input "${info.name}" has, or be left out`);
    }
    if (asked !== undefined) return asked;
    throw refuse(`${key} is missing: it must be given, as input "${info.name}" takes any size`);
  };
  return { width: side('w', 'width'), height: side('h', 'height') };
}

function framesTaken(info: TensorInfo, layout: Layout, stack: Stack, channels: 1 | 3): number | null {
  const axis = { newest: '', channels: 'c', time: 't', batch: 'n' }[stack];
  const dim = axis === '' ? undefined : info.shape[layout.indexOf(axis)];
  if (typeof dim !== 'number') return null;
  return stack === 'channels' ? Math.max(1, Math.floor(dim / channels)) : dim;
}
