/**
 * `onnx-detector`: boxes of objects or faces in the newest frame of each window, read out of an ONNX model of a known
 * family. The result is `Detections`, in pixels of the source picture.
 *
 * Invariant: what a frame is given does not depend on the frames that share its batch. A batch is one run where its
 * pictures make inputs of one size; a model whose batch axis is fixed is refused where batches are asked for.
 */
import type { Algorithm, AlgorithmContext, Detections, Frame, RunContext } from '@stream-infer/algorithm';
import { Fault } from '@stream-infer/core/fault';
import type { Tensor } from 'onnxruntime-node';
import { batchFault } from './batch-axis.ts';
import { toDetections } from './detections.ts';
import { placementRule } from './detector-input.ts';
import { FAMILIES } from './families/families.ts';
import type { Family, FamilyModel, Output, Outputs } from './families/family.ts';
import { InputBuffer } from './input-buffer.ts';
import { readLabels } from './labels.ts';
import type { ModelSession } from './model-session.ts';
import { type NmsOptions, suppressOverlaps } from './nms.ts';
import { type OnnxDetectorOptions, onnxDetectorOptions } from './onnx-detector-options.ts';
import { openModel } from './open-model.ts';
import { optionFault, parseOptions } from './options.ts';
import type { Placement, Size } from './preprocess/placement.ts';
import { Preprocessor } from './preprocess/preprocessor.ts';
import { newestFrame } from './window.ts';

/** What `init` makes of the options and the model. */
type Detector = {
  readonly session: ModelSession;
  readonly model: FamilyModel;
  readonly place: (picture: Size) => Placement;
  readonly preprocessor: Preprocessor;
  readonly scoreThreshold: number;
  readonly nms: NmsOptions;
  readonly labels: readonly string[];
  readonly spent: NonNullable<AlgorithmContext['spent']>;
};

/** A frame and where it lies in the input; `index` is the window's place in its batch. */
type Placed = { readonly index: number; readonly frame: Frame; readonly placement: Placement };

export default class OnnxDetector implements Algorithm {
  readonly #input = new InputBuffer('float32');
  #detector: Detector | null = null;

  async init(context: AlgorithmContext): Promise<void> {
    const options = parseOptions(onnxDetectorOptions, context);
    const labels = options.labels === undefined ? null : await readLabels(options.labels, context);
    const session = await openModel(options, context);
    try {
      this.#detector = detectorOf(session, options, labels, context);
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  async run(frames: readonly Frame[], context: RunContext): Promise<Detections> {
    const [result] = await this.runBatch([frames], [context]);
    return result as Detections;
  }

  async runBatch(
    windows: readonly (readonly Frame[])[],
    _contexts: readonly RunContext[],
  ): Promise<readonly Detections[]> {
    const detector = this.#detector;
    if (detector === null) throw new Fault('INTERNAL', 'onnx-detector: run before init or after close');
    const results = new Array<Detections>(windows.length);
    for (const group of groups(windows, detector)) {
      const detections = await this.#detect(group, detector);
      for (const [at, { index }] of group.entries()) results[index] = detections[at] as Detections;
    }
    return results;
  }

  async close(): Promise<void> {
    const detector = this.#detector;
    this.#detector = null;
    await detector?.session.close();
  }

  async #detect(group: readonly Placed[], detector: Detector): Promise<readonly Detections[]> {
    const { session, model, preprocessor, scoreThreshold, nms, labels, spent } = detector;
    const startedMs = performance.now();
    const { width, height } = (group[0] as Placed).placement;
    const { tensor, data } = this.#input.take([group.length, 3, height, width]);
    const strides = { channel: width * height, row: width, pixel: 1 };
    for (const [at, { frame, placement }] of group.entries()) {
      preprocessor.write(frame, placement, data, at * 3 * width * height, strides);
    }
    const preparedMs = performance.now();
    const tensors = await session.run({ [model.input.name]: tensor }, model.outputNames);
    const inferredMs = performance.now();
    const detections = group.map(({ frame, placement }, at) => {
      const candidates = model.decode(outputsOf(tensors, at), placement, scoreThreshold);
      return toDetections(suppressOverlaps(candidates, nms), placement, frame, labels);
    });
    spent('preprocess', preparedMs - startedMs);
    spent('infer', inferredMs - preparedMs);
    spent('postprocess', performance.now() - inferredMs);
    return detections;
  }
}

/** The windows that one run of the model takes: all whose inputs have one size. */
function groups(windows: readonly (readonly Frame[])[], { place }: Detector): Iterable<readonly Placed[]> {
  const placed = windows.map((frames, index): Placed => {
    const frame = newestFrame(frames);
    return { index, frame, placement: place(frame) };
  });
  return Map.groupBy(placed, ({ placement }) => `${placement.width}x${placement.height}`).values();
}

function detectorOf(
  session: ModelSession,
  options: OnnxDetectorOptions,
  givenLabels: readonly string[] | null,
  context: AlgorithmContext,
): Detector {
  const family: Family = FAMILIES[options.family];
  const model = family.check(session.signature, givenLabels?.length ?? null);
  const [input] = session.signature.inputs;
  if ((context.maxBatch ?? 1) > 1 && input && !model.input.batched)
    throw batchFault(context, session.signature, 'input', input, 'whose batch axis is fixed');
  const labels = givenLabels ?? family.labels(model.classCount);
  if (labels.length !== model.classCount) {
    throw optionFault(
      context,
      `labels has ${labels.length} entries: it must have ${model.classCount}, one for each class of the model`,
    );
  }
  return {
    session,
    model,
    place: placementRule(model.input, family.resize, options.inputSize, context),
    preprocessor: new Preprocessor(family.preprocess),
    scoreThreshold: options.scoreThreshold ?? family.scoreThreshold,
    nms: {
      iou: options.nms?.iou ?? family.nms.iou,
      classAgnostic: options.nms?.classAgnostic ?? family.nms.classAgnostic,
    },
    labels,
    spent: (stage, durationMs) => context.spent?.(stage, durationMs),
  };
}

/** The part of each output that belongs to the picture at this place of the batch. */
function outputsOf(tensors: ReadonlyMap<string, Tensor>, at: number): Outputs {
  return {
    get(name): Output {
      const tensor = tensors.get(name) as Tensor;
      const dims = tensor.dims.slice(1);
      const size = dims.reduce((product, dim) => product * dim, 1);
      return { dims, data: (tensor.data as Float32Array).subarray(at * size, (at + 1) * size) };
    },
  };
}
