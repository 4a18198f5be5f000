/**
 * Trains the network on frames that it has drawn for itself: every step new ones, so that nothing can be learnt by heart.
 *
 * Most steps use small windows onto a scene (a quarter of the pixels, as many objects); the last ones whole frames, as
 * the detector will meet them. Everything follows from the seed, to the bit.
 */
import { Adam } from './adam.ts';
import { type FeatureMap, featureMap, parametersOf } from './convolution.ts';
import { answeringCells, judge, type Loss } from './loss.ts';
import { BOX_NUMBERS, forward, freshNetwork, learn, type Network } from './network.ts';
import { INPUT_HEIGHT, INPUT_WIDTH, placePicture, placeTruths } from './picture.ts';
import { stillSample, type Truth } from './sample.ts';
import { FULL_FRAME, type SceneLimits } from './scene.ts';

/** The seed of the committed model. */
export const TRAINING_SEED = 1_000_003;

export interface Stage {
  readonly steps: number;
  readonly framesPerStep: number;
  /** Size of the network's input, and what is drawn into it. */
  readonly width: number;
  readonly height: number;
  readonly limits: SceneLimits;
  /** Size of the steps at its beginning and end; in between they change evenly. */
  readonly firstRate: number;
  readonly lastRate: number;
}

const WINDOW: SceneLimits = { width: 320, height: 192, fewestObjects: 1, mostObjects: 5, mostClutter: 4 };

export const STAGES: readonly Stage[] = [
  stage(100, 8, WINDOW, 0.0003, 0.003),
  stage(4000, 8, WINDOW, 0.003, 0.001),
  stage(3400, 8, WINDOW, 0.001, 0.0002),
  stage(1500, 4, FULL_FRAME, 0.0004, 0),
];

export interface Progress {
  readonly step: number;
  readonly steps: number;
  /** Mean since the report before. */
  readonly scoreLoss: number;
  readonly boxLoss: number;
}

const STEPS_PER_REPORT = 100;

/**
 * Added to every score, before the sigmoid, when the training is over: at the threshold 0.5 the network then misses about as
 * much as it invents. Measured on 400 frames of a seed that neither the training nor the evaluation uses.
 */
const SCORE_SHIFT = 0.4;

/** Trains a new network. `report` is called every {@link STEPS_PER_REPORT} steps. */
export function train(seed: number, stages: readonly Stage[], report: (progress: Progress) => void): Network {
  const network = freshNetwork(seed);
  const gradients = network.layers.map(parametersOf);
  const adam = new Adam(network.parameters, gradients);
  const steps = stages.reduce((sum, one) => sum + one.steps, 0);
  let step = 0;
  let frame = 0;
  let since: Loss = { score: 0, box: 0 };
  for (const one of stages) {
    for (let i = 0; i < one.steps; i++) {
      const batch = Array.from({ length: one.framesPerStep }, () => example(seed, frame++, one));
      const answering = batch.reduce(
        (sum, { input, truths }) => sum + answeringCells(input.width, input.height, truths),
        0,
      );
      for (const { input, truths } of batch) {
        const maps = forward(network, input);
        const cells = maps[maps.length - 1] as FeatureMap;
        const slope = featureMap(cells.channels, cells.height, cells.width);
        const loss = judge(cells, truths, 1 / Math.max(1, answering), slope);
        since = { score: since.score + loss.score, box: since.box + loss.box };
        learn(network, maps, slope, gradients);
      }
      adam.step(one.firstRate + ((one.lastRate - one.firstRate) * i) / one.steps);
      step++;
      if (step % STEPS_PER_REPORT > 0 && step < steps) continue;
      report({ step, steps, scoreLoss: since.score / STEPS_PER_REPORT, boxLoss: since.box / STEPS_PER_REPORT });
      since = { score: 0, box: 0 };
    }
  }
  shiftScores(network);
  return network;
}

function shiftScores(network: Network): void {
  const bias = network.parameters.at(-1)?.bias.subarray(BOX_NUMBERS) ?? [];
  for (let i = 0; i < bias.length; i++) bias[i] = (bias[i] as number) + SCORE_SHIFT;
}

function example(seed: number, index: number, stage: Stage): { input: FeatureMap; truths: readonly Truth[] } {
  const { drawing, truths } = stillSample(seed, index, stage.width, stage.limits);
  const { input, placement } = placePicture(drawing, stage.width, stage.height);
  return { input, truths: placeTruths(truths, placement) };
}

function stage(steps: number, framesPerStep: number, limits: SceneLimits, firstRate: number, lastRate: number): Stage {
  const full = limits === FULL_FRAME;
  const width = full ? INPUT_WIDTH : limits.width / 2;
  const height = full ? INPUT_HEIGHT : limits.height / 2;
  return { steps, framesPerStep, limits, width, height, firstRate, lastRate };
}
