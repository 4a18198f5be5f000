/** One window's part of an output that a batch made: the tensor that the window alone would have got. */
import { Fault } from '@stream-infer/core/fault';
import { Tensor } from 'onnxruntime-node';

/** The `at`-th of `windows` rows. Fault: MODEL_SHAPE where the output has not one row for each window. */
export function tensorRow(name: string, tensor: Tensor, at: number, windows: number): Tensor {
  if (windows === 1) return tensor;
  const [rows, ...rest] = tensor.dims;
  if (rows !== windows) {
    const shape = `[${tensor.dims.join(', ')}]`;
    throw new Fault('MODEL_SHAPE', `output "${name}" ${shape} has not one row for each of ${windows} windows`);
  }
  const size = rest.reduce((product, dim) => product * dim, 1);
  const data = tensor.data.slice(at * size, (at + 1) * size);
  return new Tensor(tensor.type, data as Tensor.DataType, [1, ...rest]);
}
