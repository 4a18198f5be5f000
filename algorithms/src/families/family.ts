/**
 * What a family of detectors is: how its input is made, what its outputs must look like, and how boxes are read out of
 * them. Each family is a sibling file of this one with the same shape; what differs between the files is what differs
 * between the families.
 */
import { Fault } from '@stream-infer/core/fault';
import type { Candidate } from '../detections.ts';
import type { ModelSignature, TensorInfo } from '../model-session.ts';
import type { NmsOptions } from '../nms.ts';
import type { ResizeMode, Size } from '../preprocess/placement.ts';
import type { PreprocessorOptions } from '../preprocess/preprocessor.ts';

export type Family = {
  readonly name: string;
  /** How the model's input is made of a picture. */
  readonly preprocess: PreprocessorOptions;
  readonly resize: ResizeMode;
  readonly scoreThreshold: number;
  readonly nms: NmsOptions;
  /** The labels of a model that was given none. */
  labels(classCount: number): readonly string[];
  /**
   * What the family reads of this model. `labelCount` is the number of labels configured, if any.
   * Fault: MODEL_SHAPE, naming what the family reads and what was found.
   */
  check(signature: ModelSignature, labelCount: number | null): FamilyModel;
};

/** A model that its family can read. */
export type FamilyModel = {
  readonly input: ImageInput;
  readonly outputNames: readonly string[];
  readonly classCount: number;
  /**
   * The boxes of one picture with at least this score, before suppression, in pixels of the input of this size.
   * Fault: MODEL_SHAPE where the outputs of an input of free size turn out to be of another family.
   */
  decode(outputs: Outputs, inputSize: Size, scoreThreshold: number): Candidate[];
};

export type ImageInput = {
  readonly name: string;
  /** Null where the model takes any size. */
  readonly size: Size | null;
  /** Whether one run takes several pictures. */
  readonly batched: boolean;
};

/** One picture's part of an output: its dimensions without the batch axis, and its elements. */
export type Output = { readonly dims: readonly number[]; readonly data: Float32Array };

export type Outputs = { get(name: string): Output };

/** The model's only input, which must be `[batch, 3, height, width]` of float32; null where it is not. */
export function imageInput(signature: ModelSignature): ImageInput | null {
  const [input, ...others] = signature.inputs;
  if (input === undefined || others.length > 0 || input.type !== 'float32' || input.shape.length !== 4) return null;
  const [batch, channels, height, width] = input.shape;
  if (channels !== 3 || !isOneOrFree(batch)) return null;
  const batched = typeof batch === 'string';
  if (typeof height === 'number' && typeof width === 'number') {
    return { name: input.name, size: { width, height }, batched };
  }
  return typeof height === 'string' && typeof width === 'string' ? { name: input.name, size: null, batched } : null;
}

export const isOneOrFree = (dim: number | string | undefined): boolean => dim === 1 || typeof dim === 'string';

/** Whether a dimension is this number, or free. */
export const fits = (dim: number | string | undefined, expected: number): boolean =>
  dim === expected || typeof dim === 'string';

export function shapeFault(signature: ModelSignature, family: string, reads: string): Fault {
  const found = [...signature.inputs.map(describe('input')), ...signature.outputs.map(describe('output'))].join(', ');
  return new Fault(
    'MODEL_SHAPE',
    `model ${signature.path}: family ${family} reads ${reads}; found ${found}; ` +
      'set family to the one that the model was exported for',
  );
}

const describe =
  (kind: 'input' | 'output') =>
  (info: TensorInfo): string =>
    `${kind} "${info.name}" ${info.type} [${info.shape.join(', ')}]`;
