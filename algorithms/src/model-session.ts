/**
 * An ONNX model that is loaded: the one file that speaks to ONNX Runtime. It turns the ways in which loading fails into
 * faults that name the file, and keeps the runtime's own log lines off standard error: what they say is in the error
 * that is thrown with them.
 *
 * Invariants: `close` is idempotent; a device that was asked for is the one used, or opening fails.
 */
import { Fault } from '@stream-infer/core/fault';
import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import { assertModelFile } from './model-file.ts';

/** One input or output; a dimension is a number, or a name where it is free. An unknown shape is empty. */
export type TensorInfo = {
  readonly name: string;
  /** Element type in ONNX Runtime's words, e.g. `float32`; `non-tensor` for sequences and maps. */
  readonly type: string;
  readonly shape: readonly (number | string)[];
};

export type ModelSignature = {
  readonly path: string;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
};

export type Device = 'cpu' | 'cuda';

export type SessionOptions = {
  /** Threads within one operator. */
  readonly threads: number;
  readonly device: Device;
};

export class ModelSession {
  readonly signature: ModelSignature;
  #session: InferenceSession | null;

  private constructor(path: string, session: InferenceSession) {
    this.signature = {
      path,
      inputs: session.inputMetadata.map(tensorInfo),
      outputs: session.outputMetadata.map(tensorInfo),
    };
    this.#session = session;
  }

  /**
   * Loads the model at an absolute path. External data files are found beside it.
   * Faults: MODEL_NOT_FOUND, MODEL_CORRUPT; ALGORITHM_OPTIONS where the device cannot be had.
   */
  static async open(path: string, options: SessionOptions): Promise<ModelSession> {
    await assertModelFile(path);
    env.logLevel = 'fatal';
    try {
      const session = await InferenceSession.create(path, {
        executionProviders: [options.device],
        executionMode: 'sequential',
        intraOpNumThreads: options.threads,
        interOpNumThreads: 1,
        logSeverityLevel: 4,
      });
      return new ModelSession(path, session);
    } catch (error) {
      throw loadFault(path, options.device, error);
    }
  }

  /** Runs the model once. The tensors of `feeds` may be used again as soon as the promise settles. */
  async run(
    feeds: Readonly<Record<string, Tensor>>,
    outputNames: readonly string[],
  ): Promise<ReadonlyMap<string, Tensor>> {
    if (this.#session === null) throw new Fault('INTERNAL', `model ${this.signature.path}: run after close`);
    const results = await this.#session.run(feeds, outputNames);
    const outputs = new Map<string, Tensor>();
    for (const name of outputNames) {
      const value = results[name];
      if (!(value instanceof Tensor)) {
        throw new Fault('MODEL_SHAPE', `model ${this.signature.path}: output "${name}" is not a tensor`);
      }
      outputs.set(name, value);
    }
    return outputs;
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.release();
  }
}

function tensorInfo(metadata: InferenceSession.ValueMetadata): TensorInfo {
  if (!metadata.isTensor) return { name: metadata.name, type: 'non-tensor', shape: [] };
  return { name: metadata.name, type: metadata.type, shape: metadata.shape };
}

function loadFault(path: string, device: Device, error: unknown): Fault {
  const reason = error instanceof Error ? error.message : String(error);
  if (device === 'cuda' && /ExecutionProvider|cuda|cudnn|shared library/i.test(reason)) {
    const remedy = 'install the CUDA libraries of ONNX Runtime with CUDA and cuDNN, or set device: cpu';
    return new Fault('ALGORITHM_OPTIONS', `device is "cuda", which does not load (${reason}); ${remedy}`, {
      cause: error,
    });
  }
  const remedy = 'check the file, or export the model again';
  return new Fault('MODEL_CORRUPT', `model ${path} does not load (${conciseReason(path, reason)}); ${remedy}`, {
    cause: error,
  });
}

/** ONNX Runtime's reason without the path (which the message has already) and without the places in its source. */
function conciseReason(path: string, reason: string): string {
  const withoutPath = reason.replace(`Load model from ${path} failed:`, '');
  const withoutSource = withoutPath.replace(/^\/\S+:\d+ .*?\)\s(?=[A-Z])/, '');
  return withoutSource.trim().replace(/\.$/, '');
}
