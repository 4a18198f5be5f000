/**
 * An ONNX model that is loaded: the one file that speaks to ONNX Runtime. It turns the ways in which loading fails into
 * faults that name the file, and keeps the runtime's own log lines off standard error: what they say is in the error
 * that is thrown with them.
 *
 * Invariant: `close` is idempotent.
 */
import type { Device } from '@stream-infer/algorithm';
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

/** Device → ONNX Runtime's name of what runs on it. */
const PROVIDERS: Readonly<Record<Device, string>> = { cpu: 'cpu', gpu: 'cuda' };

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
   * Faults: MODEL_NOT_FOUND, MODEL_CORRUPT; GPU_UNAVAILABLE where it does not load on the GPU, whatever is to blame.
   */
  static async open(path: string, options: SessionOptions): Promise<ModelSession> {
    await assertModelFile(path);
    env.logLevel = 'fatal';
    try {
      const session = await InferenceSession.create(path, {
        executionProviders: [PROVIDERS[options.device]],
        executionMode: 'sequential',
        intraOpNumThreads: options.threads,
        interOpNumThreads: 1,
        logSeverityLevel: 4,
      });
      return new ModelSession(path, session);
    } catch (error) {
      throw options.device === 'cpu' ? corrupt(path, error) : gpuUnavailable(path, error);
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

function corrupt(path: string, error: unknown): Fault {
  const remedy = 'check the file, or export the model again';
  return new Fault('MODEL_CORRUPT', `model ${path} does not load (${conciseReason(path, error)}); ${remedy}`, {
    cause: error,
  });
}

function gpuUnavailable(path: string, error: unknown): Fault {
  const remedy = 'needed are an NVIDIA GPU that this process may use, CUDA, cuDNN and the CUDA library of ONNX Runtime';
  return new Fault(
    'GPU_UNAVAILABLE',
    `model ${path} does not load on the GPU (${conciseReason(path, error)}): ${remedy}`,
    {
      cause: error,
    },
  );
}

/** ONNX Runtime's reason without the path (which the message has already) and without the places in its source. */
function conciseReason(path: string, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  const withoutPath = reason.replace(`Load model from ${path} failed:`, '');
  const withoutSource = withoutPath.replace(/^\/\S+:\d+ .*?\)\s(?=[A-Z])/, '');
  return withoutSource.trim().replace(/\.$/, '');
}
