/**
 * The session of an algorithm's model on the device that it is to run on: the one that its options name, else the runner's. Where a GPU
 * cannot be had the CPU takes its place, unless the runner is told to do without that; either way the runner knows.
 */
import type { AlgorithmContext, Device } from '@stream-infer/algorithm';
import { toFault } from '@stream-infer/core/fault';
import { ModelSession } from './model-session.ts';

export type ModelOptions = {
  /** Path of the file, as the configuration has it. */
  readonly model: string;
  /** Threads within one operator. */
  readonly threads: number;
  readonly device?: Device | undefined;
};

/** Faults: MODEL_NOT_FOUND, MODEL_CORRUPT; GPU_UNAVAILABLE where the GPU is required. */
export async function openModel(
  { model, threads, device }: ModelOptions,
  context: AlgorithmContext,
): Promise<ModelSession> {
  const path = context.resolvePath(model);
  const wanted = device ?? context.device ?? 'cpu';
  try {
    const session = await ModelSession.open(path, { threads, device: wanted });
    context.placed?.(wanted);
    return session;
  } catch (error) {
    const fault = toFault(error);
    if (fault.code !== 'GPU_UNAVAILABLE') throw fault;
    // ONNX Runtime does not say whether the device or the model is to blame: one that the CPU does not take either is.
    const session = await ModelSession.open(path, { threads, device: 'cpu' });
    if (context.requireGpu) {
      await session.close();
      throw fault;
    }
    context.placed?.('cpu', fault.message);
    return session;
  }
}
