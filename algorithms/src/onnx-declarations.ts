/** What the options of a model declare, matched with what the model has: inputs made of frames, constant inputs, outputs. */
import type { Tensor } from 'onnxruntime-node';
import { constantTensor } from './constant-input.ts';
import { FrameInput } from './frame-input.ts';
import type { Refuse } from './frame-input-shape.ts';
import type { ModelSignature } from './model-session.ts';
import type { ConstantInputOptions, FrameInputOptions } from './onnx-options.ts';
import { assertWritable } from './tensor-json.ts';

const quoted = (infos: readonly { readonly name: string }[]): string =>
  infos.map(({ name }) => `"${name}"`).join(', ') || 'none';

/** What `refuse` makes of a declaration that the model does not have, has with another type, or has twice. */
export function constantInputs(
  { inputs }: ModelSignature,
  constants: readonly ConstantInputOptions[],
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
export function frameInputs(
  signature: ModelSignature,
  declarations: readonly FrameInputOptions[],
  constants: readonly ConstantInputOptions[],
  refuse: Refuse,
): readonly FrameInput[] {
  const constant = new Set(constants.map(({ name }) => name));
  const open = signature.inputs.filter(({ name }) => !constant.has(name));
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

/** @param asked all unless given. Faults besides: MODEL_SHAPE, RESULT_TOO_LARGE for what could never be a result. */
export function outputNames(
  { path, outputs }: ModelSignature,
  asked: readonly string[] | undefined,
  refuse: Refuse,
): readonly string[] {
  const names = asked ?? outputs.map(({ name }) => name);
  for (const [at, name] of names.entries()) {
    const info = outputs.find((output) => output.name === name);
    if (info === undefined) throw refuse(`outputs[${at}] is "${name}": it must be one of ${quoted(outputs)}`);
    assertWritable(path, info);
  }
  return names;
}
