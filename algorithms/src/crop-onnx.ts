/**
 * `crop-onnx`: a second model over the boxes of a first one. Comes after any detector; cuts each box out of the newest frame of its
 * own window and runs the model on it: an embedding, an attribute, a text.
 *
 * Invariant: the i-th output speaks of the i-th box, whatever crops shared a run.
 */
import type { Algorithm, AlgorithmContext, Detections, Frame, Json, RunContext } from '@stream-infer/algorithm';
import { Fault } from '@stream-infer/core/fault';
import type { Tensor } from 'onnxruntime-node';
import { type CropOnnxOptions, cropOnnxOptions } from './crop-onnx-options.ts';
import type { FrameInput } from './frame-input.ts';
import type { Refuse } from './frame-input-shape.ts';
import type { ModelSession, ModelSignature } from './model-session.ts';
import { constantInputs, frameInputs, outputNames } from './onnx-declarations.ts';
import { frameInputOptions } from './onnx-options.ts';
import { openModel } from './open-model.ts';
import { optionFault, parseOptions } from './options.ts';
import { crop, cropRectangle } from './preprocess/crop.ts';
import { type TensorJson, tensorJson } from './tensor-json.ts';
import { upstreamDetections } from './upstream-detections.ts';
import { newestFrame } from './window.ts';

type Outputs = Readonly<Record<string, TensorJson>>;

/** The detections as they came, and what the model says of each; null of one that lies outside of the frame. */
export type CropResult = Detections & { readonly trackIds?: Json; readonly outputs: readonly (Outputs | null)[] };

/** What `init` makes of the options and the model. */
type Plan = {
  readonly session: ModelSession;
  readonly input: FrameInput;
  readonly constants: Readonly<Record<string, Tensor>>;
  readonly outputNames: readonly string[];
  readonly margin: number;
  /** Crops in one run; null where the model has no axis for several. */
  readonly batch: number | null;
};

export default class CropOnnx implements Algorithm {
  #plan: Plan | null = null;

  async init(context: AlgorithmContext): Promise<void> {
    const options = parseOptions(cropOnnxOptions, context);
    const session = await openModel(options, context);
    try {
      this.#plan = planOf(session, options, (problem) => optionFault(context, problem));
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  async run(frames: readonly Frame[], context: RunContext): Promise<CropResult> {
    if (this.#plan === null) throw new Fault('INTERNAL', 'crop-onnx: run before init or after close');
    const { margin, batch } = this.#plan;
    const detections = upstreamDetections(context);
    if (frames.length === 0) {
      const problem = 'has no frame to cut boxes out of: give it a frameCount of at least 1';
      throw new Fault('ALGORITHM_FAILED', `algorithm "${context.name}" ${problem}`);
    }
    const frame = newestFrame(frames);
    const cuts = detections.boxes.flatMap((box, at) => {
      const rectangle = cropRectangle(box, frame, margin);
      return rectangle === null ? [] : [{ at, crop: crop(frame, rectangle) }];
    });
    const outputs = new Array<Outputs | null>(detections.boxes.length).fill(null);
    for (let from = 0; from < cuts.length; from += batch ?? 1) {
      const together = cuts.slice(from, from + (batch ?? 1));
      const results = await runOn(
        together.map((cut) => cut.crop),
        this.#plan,
      );
      for (const [i, { at }] of together.entries()) outputs[at] = results[i] ?? null;
    }
    const trackIds = trackIdsOf(context);
    return { ...detections, ...(trackIds !== undefined && { trackIds }), outputs };
  }

  async close(): Promise<void> {
    const plan = this.#plan;
    this.#plan = null;
    await plan?.session.close();
  }
}

function planOf(session: ModelSession, options: CropOnnxOptions, refuse: Refuse): Plan {
  const { signature } = session;
  const declared = options.input ?? frameInputOptions.parse({});
  const hasBatchAxis = declared.layout.includes('n');
  const declaration = { ...declared, stack: hasBatchAxis ? ('batch' as const) : ('newest' as const) };
  const [input] = frameInputs(signature, [declaration], options.constants, (problem) =>
    refuse(problem.replace(/^inputs\[0\]/, 'input')),
  );
  if (input === undefined) throw refuse('input is missing: the model must have one that is made of crops');
  const outputs = outputNames(signature, options.outputs, refuse);
  return {
    session,
    input,
    constants: constantInputs(signature, options.constants, refuse),
    outputNames: outputs,
    margin: options.margin,
    batch: hasBatchAxis ? batchOf(signature, input.name, declared.layout.indexOf('n'), options.batchSize) : null,
  };
}

/** As many as asked for where the axis is free; else the model's own, which must be 1. */
function batchOf({ path, inputs }: ModelSignature, name: string, axis: number, batchSize: number): number {
  const dim = inputs.find((input) => input.name === name)?.shape[axis];
  if (typeof dim !== 'number') return batchSize;
  if (dim === 1) return 1;
  const remedy = 'export it with a batch axis that is free, or of 1';
  throw new Fault(
    'MODEL_SHAPE',
    `model ${path}: input "${name}" takes ${dim} pictures at once, never fewer; ${remedy}`,
  );
}

/** The outputs for each of the crops. */
async function runOn(crops: readonly Frame[], plan: Plan): Promise<readonly Outputs[]> {
  const { session, input, constants, batch } = plan;
  const tensors = await session.run({ ...constants, [input.name]: input.fill([crops]) }, plan.outputNames);
  const results = crops.map((): Record<string, TensorJson> => ({}));
  for (const [name, tensor] of tensors) {
    const whole = tensorJson(name, tensor);
    const parts = batch === null ? [whole] : splitBatch(session.signature.path, name, whole, crops.length);
    for (const [at, part] of parts.entries()) (results[at] as Record<string, TensorJson>)[name] = part;
  }
  return results;
}

function splitBatch(path: string, name: string, { dims, data }: TensorJson, count: number): readonly TensorJson[] {
  if (dims[0] !== count) {
    const found = `output "${name}" is [${dims.join(', ')}] for ${count} crops`;
    throw new Fault(
      'MODEL_SHAPE',
      `model ${path}: ${found}; its first axis must be theirs, or name the others in outputs`,
    );
  }
  const size = data.length / count;
  return Array.from({ length: count }, (_, at) => ({
    dims: dims.slice(1),
    data: data.slice(at * size, (at + 1) * size),
  }));
}

/** Those of a tracker, where it comes after one. */
function trackIdsOf({ inputs }: RunContext): Json | undefined {
  const [data] = Object.values(inputs);
  return typeof data === 'object' && data !== null && 'trackIds' in data ? data.trackIds : undefined;
}
