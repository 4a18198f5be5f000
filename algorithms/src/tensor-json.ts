/**
 * Outputs of a model as JSON: dimensions and elements, row after row. A float32 is written as the shortest decimal that
 * is that float32 again, so nothing is lost and nothing made up. What JSON cannot hold, and what is too large for a
 * result, is refused by the name of the output.
 */
import { Fault } from '@stream-infer/core/fault';
import type { Tensor } from 'onnxruntime-node';
import type { TensorInfo } from './model-session.ts';

export type TensorJson = {
  readonly dims: readonly number[];
  readonly data: readonly (number | boolean | string)[];
};

/** What a result may be, in bytes of JSON. */
const MAX_RESULT_BYTES = 1024 * 1024;
/** An element has at least a digit and a comma, and hardly ever more than this. */
const LEAST_BYTES = 2;
const MOST_BYTES = 26;

const READABLE = new Set([
  'float32',
  'float64',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'bool',
  'string',
]);

/** Refuses outputs that could never be a result. Faults: MODEL_SHAPE, RESULT_TOO_LARGE. */
export function assertWritable(path: string, info: TensorInfo): void {
  if (!READABLE.has(info.type)) {
    const remedy = 'name the others in the option outputs';
    throw new Fault('MODEL_SHAPE', `model ${path}: output "${info.name}" is ${info.type}, not readable; ${remedy}`);
  }
  assertSmall(info.name, info.shape.length === 0 ? [1] : info.shape.map((dim) => (typeof dim === 'number' ? dim : 1)));
}

/** Faults: RESULT_TOO_LARGE, RESULT_NOT_JSON. */
export function tensorJson(name: string, tensor: Tensor): TensorJson {
  const dims = [...tensor.dims];
  assertSmall(name, dims);
  const json = { dims, data: elements(name, tensor) };
  if (json.data.length * MOST_BYTES > MAX_RESULT_BYTES || tensor.type === 'string') {
    if (JSON.stringify(json).length > MAX_RESULT_BYTES) throw tooLarge(name, dims);
  }
  return json;
}

function assertSmall(name: string, dims: readonly number[]): void {
  const size = dims.reduce((product, dim) => product * dim, 1);
  if (size * LEAST_BYTES > MAX_RESULT_BYTES) throw tooLarge(name, dims);
}

function tooLarge(name: string, dims: readonly number[]): Fault {
  return new Fault(
    'RESULT_TOO_LARGE',
    `output "${name}" [${dims.join(', ')}] makes more than 1 MiB of JSON; name smaller ones in the option outputs`,
  );
}

function elements(name: string, tensor: Tensor): (number | boolean | string)[] {
  const { data } = tensor;
  if (data instanceof Float32Array) return Array.from(data, (value) => shortestDecimal(finite(name, value)));
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    return Array.from(data, (value) => safe(name, value));
  if (tensor.type === 'bool') return Array.from(data as Uint8Array, (value) => value !== 0);
  if (tensor.type === 'string') return [...(data as string[])];
  return Array.from(data as Float64Array, (value) => finite(name, value));
}

function finite(name: string, value: number): number {
  if (Number.isFinite(value)) return value;
  throw new Fault('RESULT_NOT_JSON', `output "${name}" holds ${value}, which JSON cannot`);
}

function safe(name: string, value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new Fault('RESULT_NOT_JSON', `output "${name}" holds ${value}, which a JSON number cannot hold exactly`);
}

/** The decimal with the fewest digits that rounds to this float32: 6 always suffice for one that was short, 9 for all. */
export function shortestDecimal(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const decimal = Number(value.toPrecision(digits));
    if (Math.fround(decimal) === value) return decimal;
  }
  return Number(value.toPrecision(9));
}
