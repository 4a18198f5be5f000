/** Whether a model's file can be read at all: asked without ONNX Runtime. */
import { stat } from 'node:fs/promises';
import { Fault } from '@stream-infer/core/fault';

/** Faults: MODEL_NOT_FOUND, MODEL_CORRUPT. @param path absolute. */
export async function assertModelFile(path: string): Promise<void> {
  try {
    const stats = await stat(path);
    if (stats.isFile()) return;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new Fault(
        'MODEL_NOT_FOUND',
        `model ${path} does not exist: name the .onnx file, relative to the configuration or to where the command is given`,
        { cause: error },
      );
    }
    throw new Fault('MODEL_CORRUPT', `model ${path} cannot be read (${String(code ?? error)}); check its permissions`, {
      cause: error,
    });
  }
  throw new Fault('MODEL_CORRUPT', `model ${path} is not a file; name the .onnx file itself`);
}
