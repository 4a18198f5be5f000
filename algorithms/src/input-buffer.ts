/**
 * The memory of a model's input, kept across invocations: it grows to the largest input seen and is never allocated
 * per frame. One instance of an algorithm runs one window at a time, so one buffer suffices.
 */
import { Tensor } from 'onnxruntime-node';
import type { TensorData } from './preprocess/tensor-writer.ts';

export type InputType = 'float32' | 'uint8';

export class InputBuffer {
  readonly #type: InputType;
  #data: TensorData;
  #tensor: Tensor | null = null;
  #dims: readonly number[] = [];

  constructor(type: InputType) {
    this.#type = type;
    this.#data = allocate(type, 0);
  }

  /** The tensor of these dimensions and its elements, which hold what was last written to them. */
  take(dims: readonly number[]): { readonly tensor: Tensor; readonly data: TensorData } {
    if (this.#tensor !== null && sameDims(dims, this.#dims)) return { tensor: this.#tensor, data: this.#data };
    const size = dims.reduce((product, dim) => product * dim, 1);
    const reusable = this.#data.buffer.byteLength >= size * this.#data.BYTES_PER_ELEMENT;
    const data = reusable ? view(this.#data, size) : allocate(this.#type, size);
    const tensor = data instanceof Float32Array ? new Tensor('float32', data, dims) : new Tensor('uint8', data, dims);
    this.#data = data;
    this.#tensor = tensor;
    this.#dims = [...dims];
    return { tensor, data };
  }
}

const allocate = (type: InputType, size: number): TensorData =>
  type === 'float32' ? new Float32Array(size) : new Uint8Array(size);

const view = (data: TensorData, size: number): TensorData =>
  data instanceof Float32Array ? new Float32Array(data.buffer, 0, size) : new Uint8Array(data.buffer, 0, size);

const sameDims = (first: readonly number[], second: readonly number[]): boolean =>
  first.length === second.length && first.every((dim, index) => dim === second[index]);
