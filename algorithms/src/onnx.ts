/**
 * `onnx`: any ONNX model whose inputs can be declared as pictures and constants. The result is its outputs by name,
 * each with dimensions and elements; reading them is the business of whoever asked for them.
 *
 * Invariant: a window's outputs have the dimensions that they have when it runs alone, whatever shares its batch.
 */
import type { Algorithm, AlgorithmContext, Frame } from '@stream-infer/algorithm';
import { Fault } from '@stream-infer/core/fault';
import type { Tensor } from 'onnxruntime-node';
import { batchFault } from './batch-axis.ts';
import type { FrameInput } from './frame-input.ts';
import type { Refuse } from './frame-input-shape.ts';
import type { ModelSession } from './model-session.ts';
import { constantInputs, frameInputs, outputNames } from './onnx-declarations.ts';
import { frameInputOptions, onnxOptions } from './onnx-options.ts';
import { openModel } from './open-model.ts';
import { optionFault, parseOptions } from './options.ts';
import { type TensorJson, tensorJson } from './tensor-json.ts';
import { tensorRow } from './tensor-row.ts';

/** What `init` makes of the options and the model. */
type Plan = {
  readonly session: ModelSession;
  readonly inputs: readonly FrameInput[];
  readonly constants: Readonly<Record<string, Tensor>>;
  readonly outputNames: readonly string[];
  readonly spent: NonNullable<AlgorithmContext['spent']>;
};

type Result = Readonly<Record<string, TensorJson>>;

export default class Onnx implements Algorithm {
  #plan: Plan | null = null;

  async init(context: AlgorithmContext): Promise<void> {
    const options = parseOptions(onnxOptions, context);
    const session = await openModel(options, context);
    try {
      const refuse: Refuse = (problem) => optionFault(context, problem);
      this.#plan = {
        session,
        constants: constantInputs(session.signature, options.constants, refuse),
        inputs: frameInputs(
          session.signature,
          options.inputs ?? [frameInputOptions.parse({})],
          options.constants,
          refuse,
        ),
        outputNames: outputNames(session.signature, options.outputs, refuse),
        spent: (stage, durationMs) => context.spent?.(stage, durationMs),
      };
      if ((context.maxBatch ?? 1) > 1) refuseFixedBatch(this.#plan, context);
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  async run(frames: readonly Frame[]): Promise<Result> {
    const [result] = await this.runBatch([frames]);
    return result as Result;
  }

  async runBatch(windows: readonly (readonly Frame[])[]): Promise<readonly Result[]> {
    if (this.#plan === null) throw new Fault('INTERNAL', 'onnx: run before init or after close');
    const { inputs } = this.#plan;
    const results = new Array<Result>(windows.length);
    const placed = windows.map((frames, index) => ({ index, frames }));
    // Windows of as many frames share a run.
    const groups = Map.groupBy(placed, ({ frames }) => inputs.map((input) => input.framesOf(frames)).join());
    for (const group of groups.values()) {
      const outputs = await runTogether(
        group.map(({ frames }) => frames),
        this.#plan,
      );
      for (const [at, { index }] of group.entries()) results[index] = outputs[at] as Result;
    }
    return results;
  }

  async close(): Promise<void> {
    const plan = this.#plan;
    this.#plan = null;
    await plan?.session.close();
  }
}

async function runTogether(windows: readonly (readonly Frame[])[], plan: Plan): Promise<readonly Result[]> {
  const { session, inputs, constants, outputNames, spent } = plan;
  const startedMs = performance.now();
  const feeds: Record<string, Tensor> = { ...constants };
  for (const input of inputs) feeds[input.name] = input.fill(windows);
  const preparedMs = performance.now();
  const outputs = await session.run(feeds, outputNames);
  const inferredMs = performance.now();
  const results = windows.map((_, at) =>
    Object.fromEntries(
      [...outputs].map(([name, tensor]) => [name, tensorJson(name, tensorRow(name, tensor, at, windows.length))]),
    ),
  );
  spent('preprocess', preparedMs - startedMs);
  spent('infer', inferredMs - preparedMs);
  spent('postprocess', performance.now() - inferredMs);
  return results;
}

function refuseFixedBatch({ session: { signature }, inputs, outputNames }: Plan, context: AlgorithmContext): void {
  const fixed = inputs.find(({ batched }) => !batched);
  const input = fixed && signature.inputs.find(({ name }) => name === fixed.name);
  if (input)
    throw batchFault(context, signature, 'input', input, 'whose batch axis is fixed or holds frames of one window');
  const output = signature.outputs.find(
    ({ name, shape }) => outputNames.includes(name) && (shape.length === 0 || typeof shape[0] === 'number'),
  );
  if (output) throw batchFault(context, signature, 'output', output, 'whose first axis is no free batch axis');
}
