/** Whether a model can take the windows of a batch in one run: refused before anything runs where it cannot. */
import type { AlgorithmContext } from '@stream-infer/algorithm';
import { Fault } from '@stream-infer/core/fault';
import type { ModelSignature, TensorInfo } from './model-session.ts';

/** What is wrong with `info` is a clause: "whose batch axis is fixed". */
export function batchFault(
  { name, maxBatch = 1 }: Pick<AlgorithmContext, 'name' | 'maxBatch'>,
  { path }: Pick<ModelSignature, 'path'>,
  kind: 'input' | 'output',
  info: TensorInfo,
  problem: string,
): Fault {
  const shape = `[${info.shape.join(', ')}]`;
  return new Fault(
    'BATCH_UNSUPPORTED',
    `algorithm "${name}": maxBatch is ${maxBatch}, and model ${path} has ${kind} "${info.name}" ${info.type} ${shape}, ${problem}: ` +
      'set maxBatch: 1, or export the model with a free batch axis',
  );
}
