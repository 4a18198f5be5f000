/**
 * `onnx`: any ONNX model whose inputs can be declared as pictures and constants. The result is its outputs by name,
 * each with dimensions and elements; reading them is the business of whoever asked for them.
 */
import type { Algorithm, AlgorithmContext, Frame } from '@stream-infer/algorithm';
import { Fault } from '@stream-infer/core/fault';
import type { Tensor } from 'onnxruntime-node';
import type { FrameInput } from './frame-input.ts';
import type { Refuse } from './frame-input-shape.ts';
import { ModelSession } from './model-session.ts';
import { constantInputs, frameInputs, outputNames } from './onnx-declarations.ts';
import { frameInputOptions, onnxOptions } from './onnx-options.ts';
import { optionFault, parseOptions } from './options.ts';
import { type TensorJson, tensorJson } from './tensor-json.ts';

/** What `init` makes of the options and the model. */
type Plan = {
  readonly session: ModelSession;
  readonly inputs: readonly FrameInput[];
  readonly constants: Readonly<Record<string, Tensor>>;
  readonly outputNames: readonly string[];
};

export default class Onnx implements Algorithm {
  #plan: Plan | null = null;

  async init(context: AlgorithmContext): Promise<void> {
    const options = parseOptions(onnxOptions, context);
    const session = await ModelSession.open(context.resolvePath(options.model), options);
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
      };
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  async run(frames: readonly Frame[]): Promise<Readonly<Record<string, TensorJson>>> {
    if (this.#plan === null) throw new Fault('INTERNAL', 'onnx: run before init or after close');
    const { session, inputs, constants, outputNames } = this.#plan;
    const feeds: Record<string, Tensor> = { ...constants };
    for (const input of inputs) feeds[input.name] = input.fill(frames);
    const outputs = await session.run(feeds, outputNames);
    return Object.fromEntries([...outputs].map(([name, tensor]) => [name, tensorJson(name, tensor)]));
  }

  async close(): Promise<void> {
    const plan = this.#plan;
    this.#plan = null;
    await plan?.session.close();
  }
}
