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
import { tensorLayout } from './tensor-layout.ts';

export class FrameInput {
  readonly name: string;
  readonly #shape: FrameInputShape;
  readonly #resize: ResizeMode;
  readonly #preprocessor: Preprocessor;
  readonly #buffer: InputBuffer;

  /** `path` is the model's. Faults: MODEL_SHAPE; what `refuse` makes of a problem with a key of the declaration. */
  constructor(path: string, info: TensorInfo, options: FrameInputOptions, refuse: Refuse) {
    const type = inputType(path, info);
    if (type === 'uint8' && !isPlain(options)) {
      throw refuse(`scale, mean and std: they must be left out, as input "${info.name}" takes bytes`);
    }
    const shape = frameInputShape(path, info, options, refuse);
    this.name = info.name;
    this.#shape = shape;
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

  /** The tensor of a window; it holds until the next call. Fault: ALGORITHM_FAILED where the model takes another number of frames. */
  fill(frames: readonly Frame[]): Tensor {
    const { layout, stack, size, channels, frames: taken } = this.#shape;
    const used = stack === 'newest' ? frames.slice(-1) : frames;
    if (taken !== null && taken !== used.length) {
      const remedy = `set frameCount: ${taken} and frameStep to at least 1, so that only whole windows run`;
      throw new Fault(
        'ALGORITHM_FAILED',
        `input "${this.name}" takes ${taken} frames, the window has ${used.length}; ${remedy}`,
      );
    }
    const { dims, strides, frameStride } = tensorLayout(layout, stack, used.length, size, channels);
    const { tensor, data } = this.#buffer.take(dims);
    for (const [index, frame] of used.entries()) {
      const placement = placeInto(size, frame, this.#resize);
      this.#preprocessor.write(frame, placement, data, index * frameStride, strides);
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
