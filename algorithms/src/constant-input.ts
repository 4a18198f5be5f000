/** An input of a model that is the same for every window, such as a threshold or the size of the picture. */
import { Tensor } from 'onnxruntime-node';
import type { ConstantInputOptions } from './onnx-options.ts';

export function constantTensor({ type, shape, values }: ConstantInputOptions): Tensor {
  switch (type) {
    case 'float32':
      return new Tensor('float32', Float32Array.from(values), shape);
    case 'int32':
      return new Tensor('int32', Int32Array.from(values), shape);
    case 'int64':
      return new Tensor(
        'int64',
        BigInt64Array.from(values, (value) => BigInt(value)),
        shape,
      );
    case 'uint8':
      return new Tensor('uint8', Uint8Array.from(values), shape);
  }
}
