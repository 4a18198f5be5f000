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
import { constantTensor } from './constant-input.ts';
import { FrameInput } from './frame-input.ts';
import type { Refuse } from './frame-input-shape.ts';
import { ModelSession, type ModelSignature } from './model-session.ts';
import { frameInputOptions, type OnnxOptions, onnxOptions } from './onnx-options.ts';
import { optionFault, parseOptions } from './options.ts';
import { assertWritable, type TensorJson, tensorJson } from './tensor-json.ts';
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
    const session = await ModelSession.open(context.resolvePath(options.model), options);
    try {
      const refuse: Refuse = (problem) => optionFault(context, problem);
      this.#plan = {
        session,
        constants: constantInputs(session.signature, options, refuse),
        inputs: frameInputs(session.signature, options, refuse),
        outputNames: outputNames(session.signature, options, refuse),
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

const quoted = (infos: readonly { readonly name: string }[]): string =>
  infos.map(({ name }) => `"${name}"`).join(', ') || 'none';

function constantInputs(
  { inputs }: ModelSignature,
  { constants }: OnnxOptions,
  refuse: Refuse,
): Readonly<Record<string, Tensor>> {
  const tensors: Record<string, Tensor> = {};
  for (const [at, constant] of constants.entries()) {
    const { name, type } = constant;
    const info = inputs.find((input) => input.name === name);
    if (info === undefined || Object.hasOwn(tensors, name)) {
      throw refuse(`constants[${at}].name is "${name}": it must be each once of ${quoted(inputs)}`);
    }
    if (info.type !== type)
      throw refuse(`constants[${at}].type is "${type}": it must be ${info.type}, as in the model`);
    tensors[name] = constantTensor(constant);
  }
  return tensors;
}

/** Declarations and inputs that are left, matched by name; a declaration without a name takes the only one left. */
function frameInputs(signature: ModelSignature, options: OnnxOptions, refuse: Refuse): readonly FrameInput[] {
  const constants = new Set(options.constants.map(({ name }) => name));
  const open = signature.inputs.filter(({ name }) => !constants.has(name));
  const declarations = options.inputs ?? [frameInputOptions.parse({})];
  const declared = new Set<string>();
  const inputs = declarations.map((declaration, at) => {
    const only = open.length === 1 && declarations.length === 1 ? open[0]?.name : undefined;
    const name = declaration.name ?? only;
    if (name === undefined) throw refuse(`inputs[${at}].name is missing: it must be one of ${quoted(open)}`);
    const info = open.find((candidate) => candidate.name === name);
    if (info === undefined || declared.has(name)) {
      throw refuse(`inputs[${at}].name is "${name}": it must be each once of ${quoted(open)}`);
    }
    declared.add(name);
    return new FrameInput(signature.path, info, declaration, (problem) => refuse(`inputs[${at}].${problem}`));
  });
  const forgotten = open.filter(({ name }) => !declared.has(name));
  if (forgotten.length > 0) {
    throw refuse(`inputs and constants leave out ${quoted(forgotten)}: the model needs all of its inputs`);
  }
  return inputs;
}

function outputNames({ path, outputs }: ModelSignature, options: OnnxOptions, refuse: Refuse): readonly string[] {
  const names = options.outputs ?? outputs.map(({ name }) => name);
  for (const [at, name] of names.entries()) {
    const info = outputs.find((output) => output.name === name);
    if (info === undefined) throw refuse(`outputs[${at}] is "${name}": it must be one of ${quoted(outputs)}`);
    assertWritable(path, info);
  }
  return names;
}
