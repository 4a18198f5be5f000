/** Runs the exported model with ONNX Runtime, the way the pipeline does, over frames whose truth is known. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { type Detection, detectionsOf } from './detection.ts';
import { INPUT_HEIGHT, INPUT_WIDTH, placePicture } from './picture.ts';
import { stillSample } from './sample.ts';
import { emptyTallies, type Tally, tallyFrame } from './score.ts';
import { CLASSES } from './shape.ts';

/** Frames for judging come from this seed; training's come from another. */
export const EVALUATION_SEED = 2_000_003;

/** Width of the frames, in pixels: twice the model's input, as in the clip. */
export const FRAME_WIDTH = 640;

export type Picture = Parameters<typeof placePicture>[0];

export interface Detector {
  /** Detections in pixels of the picture; its sides are a whole multiple of the model's. */
  detect(picture: Picture): Promise<Detection[]>;
  /** The model's answer before any threshold: (4 + classes) × cells. */
  answer(picture: Picture): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Loads a model of the form that model.ts writes; one thread. */
export async function openDetector(model: Uint8Array): Promise<Detector> {
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const answer = async (picture: Picture): Promise<Float32Array> => {
    const { input } = placePicture(picture, INPUT_WIDTH, INPUT_HEIGHT);
    const images = new Tensor('float32', input.data, [1, 3, INPUT_HEIGHT, INPUT_WIDTH]);
    const { output0 } = await session.run({ images });
    if (!(output0?.data instanceof Float32Array)) throw new TypeError('the model gives no float output0');
    return output0.data;
  };
  return {
    answer,
    async detect(picture) {
      const { scale, left, top } = placePicture(picture, INPUT_WIDTH, INPUT_HEIGHT).placement;
      return detectionsOf(await answer(picture), CLASSES.length).map((found) => ({
        ...found,
        x1: (found.x1 - left) / scale,
        y1: (found.y1 - top) / scale,
        x2: (found.x2 - left) / scale,
        y2: (found.y2 - top) / scale,
      }));
    },
    close: () => session.release(),
  };
}

/** A tally per class over the first `frames` still samples of a seed. */
export async function evaluate(detector: Detector, seed: number, frames: number): Promise<Tally[]> {
  const tallies = emptyTallies();
  for (let index = 0; index < frames; index++) {
    const { drawing, truths } = stillSample(seed, index, FRAME_WIDTH);
    tallyFrame(tallies, truths, await detector.detect(drawing));
  }
  return tallies;
}
