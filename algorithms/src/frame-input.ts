/** One input of a model of any kind, filled from the frames of a window as its declaration says. */
import type { Frame } from '@stream-infer/algorithm';
import { Fault } from '@stream-infer/core/fault';
import type { Tensor } from 'onnxruntime-node';
import { type FrameInputShape, frameInputShape, type Refuse } from './frame-input-shape.ts';
import { InputBuffer, type InputType } from './input-buffer.ts';
import type { TensorInfo } from './model-session.ts';
import type { FrameInputOptions } from './onnx-options.ts';
import { placeInto, type ResizeMode } from './preprocess/placement.ts';
import { Preprocessor } from './preprocess/preprocessor.ts';
import { takesWindows, tensorLayout } from './tensor-layout.ts';

export class FrameInput {
  readonly name: string;
  readonly #shape: FrameInputShape;
  readonly #resize: ResizeMode;
  readonly #preprocessor: Preprocessor;
  readonly #buffer: InputBuffer;
  /** Whether it takes the windows of a batch in one run. */
  readonly batched: boolean;

  /** `path` is the model's. Faults: MODEL_SHAPE; what `refuse` makes of a problem with a key of the declaration. */
  constructor(path: string, info: TensorInfo, options: FrameInputOptions, refuse: Refuse) {
    const type = inputType(path, info);
    if (type === 'uint8' && !isPlain(options)) {
      throw refuse(`scale, mean and std: they must be left out, as input "${info.name}" takes bytes`);
    }
    const shape = frameInputShape(path, info, options, refuse);
    this.name = info.name;
    this.#shape = shape;
    const batchAxis = info.shape[shape.layout.indexOf('n')];
    this.batched = takesWindows(shape.layout, shape.stack) && typeof batchAxis === 'string';
    this.#resize = options.resize;
    this.#preprocessor = new Preprocessor({
      channels: options.channels,
      padding: options.padding,
      scale: options.scale,
      mean: spread(options.mean, shape.channels, 'mean', refuse),
      std: spread(options.std, shape.channels, 'std', refuse),
    });
    this.#buffer = new InputBuffer(type);
  }

  /** How many frames of a window it takes. Fault: ALGORITHM_FAILED where the model takes another number. */
  framesOf(window: readonly Frame[]): number {
    const { stack, frames: taken } = this.#shape;
    const used = stack === 'newest' ? 1 : window.length;
    if (taken === null || taken === used) return used;
    const remedy = `set frameCount: ${taken} and frameStep to at least 1, so that only whole windows run`;
    throw new Fault(
      'ALGORITHM_FAILED',
      `input "${this.name}" takes ${taken} frames, the window has ${used}; ${remedy}`,
    );
  }

  /**
   * The tensor of a window, or of several of which it takes the same number of frames, where it is batched; it holds until the
   * next call. Fault: as `framesOf`.
   */
  fill(windows: readonly (readonly Frame[])[]): Tensor {
    const { layout, stack, size, channels } = this.#shape;
    const frames = this.framesOf(windows[0] ?? []);
    const shape = tensorLayout(layout, stack, { windows: windows.length, frames }, size, channels);
    const { dims, strides, frameStride, windowStride } = shape;
    const { tensor, data } = this.#buffer.take(dims);
    for (const [at, window] of windows.entries()) {
      for (const [index, frame] of window.slice(-frames).entries()) {
        const placement = placeInto(size, frame, this.#resize);
        const start = at * windowStride + index * frameStride;
        this.#preprocessor.write(frame, placement, data, start, strides);
      }
    }
    return tensor;
  }
}

function inputType(path: string, info: TensorInfo): InputType {
  if (info.type === 'float32' || info.type === 'uint8') return info.type;
  throw new Fault(
    'MODEL_SHAPE',
    `model ${path}: input "${info.name}" is ${info.type}; frames are written as float32 or uint8`,
  );
}

const isPlain = ({ scale, mean, std }: FrameInputOptions): boolean =>
  scale === 1 && [mean].flat().every((value) => value === 0) && [std].flat().every((value) => value === 1);

function spread(value: number | readonly number[], channels: 1 | 3, key: string, refuse: Refuse): readonly number[] {
  if (typeof value === 'number') return new Array<number>(channels).fill(value);
  if (value.length === channels) return value;
  throw refuse(`${key} has ${value.length} entries: it must be one number, or ${channels}`);
}
