/**
 * Options of an algorithm are validated whole, by the rules and in the words of the configuration itself, before its
 * model is loaded: a wrong one is a line that names the key, what was given and what is allowed.
 */
import type { AlgorithmContext } from '@stream-infer/algorithm';
import { parseValue } from '@stream-infer/core/configuration-fault';
import { Fault, toFault } from '@stream-infer/core/fault';
import { z } from 'zod';

/** The options of `context` as the schema types them. Fault: ALGORITHM_OPTIONS. */
export function parseOptions<Schema extends z.ZodType>(schema: Schema, context: AlgorithmContext): z.output<Schema> {
  try {
    return parseValue(schema, context.options, where(context));
  } catch (error) {
    throw new Fault('ALGORITHM_OPTIONS', toFault(error).message, { cause: error });
  }
}

/** A fault about an option that only the model can judge; `problem` begins with the key. */
export const optionFault = (context: Pick<AlgorithmContext, 'name'>, problem: string): Fault =>
  new Fault('ALGORITHM_OPTIONS', `${where(context)}: ${problem}`);

const where = ({ name }: Pick<AlgorithmContext, 'name'>): string => `options of algorithm "${name}"`;

/** Options that every algorithm with a model has. */
export const modelOptions = {
  model: z.string().min(1).describe('Path of the .onnx file.'),
  threads: z.int().min(1).max(64).default(1).describe('Threads within one operator of the model.'),
  device: z
    .enum(['cpu', 'gpu'])
    .optional()
    .describe(
      "Where the model runs; gpu is CUDA, and the CPU where that cannot be had. Default: the runner's modelDevice.",
    ),
};
