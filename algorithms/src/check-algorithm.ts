/**
 * What can be told to be wrong with an algorithm's definition without loading a model or running anybody's code: what it uses is
 * there, the options of a built-in are what it takes, the files that they name are there.
 */
import { resolve } from 'node:path';
import type { AlgorithmContext } from '@stream-infer/algorithm';
import type { AlgorithmDefinition } from '@stream-infer/core/algorithm-definition';
import { toFault } from '@stream-infer/core/fault';
import type { z } from 'zod';
import { ofAlgorithm } from './algorithm-fault.ts';
import { readLabels } from './labels.ts';
import { assertModelFile } from './model-file.ts';
import { assertModuleFile } from './module-file.ts';
import { parseOptions } from './options.ts';
import { type BuiltInName, isBuiltInName } from './registry.ts';

/** A built-in that is not here judges its options when it starts. */
const OPTIONS: Partial<Record<BuiltInName, () => Promise<z.ZodType>>> = {
  'byte-track': async () => (await import('./byte-track-options.ts')).byteTrackOptions,
  'crop-onnx': async () => (await import('./crop-onnx-options.ts')).cropOnnxOptions,
  'frame-stats': async () => (await import('./frame-stats-options.ts')).frameStatsOptions,
  onnx: async () => (await import('./onnx-options.ts')).onnxOptions,
  'onnx-detector': async () => (await import('./onnx-detector-options.ts')).onnxDetectorOptions,
};

/**
 * Faults: MODULE_NOT_FOUND, ALGORITHM_OPTIONS, MODEL_NOT_FOUND, MODEL_CORRUPT.
 * @param directory that paths are relative to, absolute.
 */
export async function checkAlgorithm(definition: AlgorithmDefinition, directory: string): Promise<void> {
  await check(definition, directory).catch((error: unknown) => {
    throw ofAlgorithm(definition.name, toFault(error));
  });
}

async function check({ name, use, options }: AlgorithmDefinition, directory: string): Promise<void> {
  if (!isBuiltInName(use)) return assertModuleFile(name, use, resolve(directory, use));
  const schema = await OPTIONS[use]?.();
  if (!schema) return;
  const silent = (): void => undefined;
  const context: AlgorithmContext = {
    name,
    options,
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    resolvePath: (path) => resolve(directory, path),
  };
  const { model, labels } = parseOptions(schema, context) as { readonly model?: unknown; readonly labels?: unknown };
  if (typeof model === 'string') await assertModelFile(context.resolvePath(model));
  if (typeof labels === 'string') await readLabels(labels, context);
}
