/** The demo's model is what its script makes of its own drawings, and finds what is drawn. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { CLIP_FRAMES, CLIP_HEIGHT, CLIP_WIDTH, clipSample } from '../../examples/demo/clip.ts';
import { type FeatureMap, featureMap, parametersOf } from '../../examples/demo/convolution.ts';
import { decodeCells } from '../../examples/demo/detection.ts';
import { cosine, exponential, logarithm, sine } from '../../examples/demo/elementary.ts';
import { EVALUATION_SEED, evaluate, FRAME_WIDTH, openDetector } from '../../examples/demo/evaluation.ts';
import { judge } from '../../examples/demo/loss.ts';
import { type Matrix, multiply, Scratch } from '../../examples/demo/matrix.ts';
import { modelOf } from '../../examples/demo/model.ts';
import { forward, freshNetwork, learn } from '../../examples/demo/network.ts';
import { INPUT_HEIGHT, INPUT_WIDTH, placePicture, placeTruths } from '../../examples/demo/picture.ts';
import { Random } from '../../examples/demo/random.ts';
import { LEAST_VISIBLE, stillSample } from '../../examples/demo/sample.ts';
import { emptyTallies, LEAST_SCORE, scoreOf, tallyFrame } from '../../examples/demo/score.ts';
import { CLASSES } from '../../examples/demo/shape.ts';
import { STAGES, type Stage, TRAINING_SEED, train } from '../../examples/demo/training.ts';

const DEMO = new URL('../../examples/demo/', import.meta.url);
const MODEL_SHA256 = '85e46d015bc46bc668dc1cd092e4b8190587c24068ca13a8aeb4eba5102f0561';
const TWO_STEPS_SHA256 = '2555ccd55ebbaa36e13c8bea137314e0b42a384ffc9f9614b8c3db98fbc3d615';
const STILL_FRAME_SHA256 = 'e926c54e8d9806963dd41bd818c0f3d59aa61a800b63683c91aa241b3623d0d4';
const CLIP_FRAME_SHA256 = 'a66bf2d54d0a97be72ab796e7b06cddd4f6dd6862ce18e267c5f93c4cbde6b7a';
const CLIP_BYTES_PER_FRAME = CLIP_WIDTH * CLIP_HEIGHT * 3;

const model = await readFile(new URL('shapes.onnx', DEMO));
const detector = await openDetector(model);
afterAll(() => detector.close());

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** One element of a · b, the plain way. */
function element(a: Matrix, b: Matrix, row: number, column: number): number {
  let sum = 0;
  for (let k = 0; k < a.columns; k++) {
    sum += (a.data[row * a.step + k] as number) * (b.data[k * b.step + column] as number);
  }
  return sum;
}

describe('the committed model', () => {
  it('finds at least 95 % of the objects on frames of another seed, and at least 95 % of what it finds is right', async () => {
    expect(EVALUATION_SEED).not.toBe(TRAINING_SEED);
    const tallies = await evaluate(detector, EVALUATION_SEED, 450);
    const { precision, recall, objects } = scoreOf(...tallies);
    expect(objects).toBeGreaterThan(2000);
    expect(precision).toBeGreaterThanOrEqual(LEAST_SCORE);
    expect(recall).toBeGreaterThanOrEqual(LEAST_SCORE);
  }, 300_000);

  it('finds the objects of the encoded clip', async () => {
    const path = fileURLToPath(new URL('demo.mp4', DEMO));
    const options = ['-v', 'error', '-i', path, '-vf', "select='not(mod(n,10))'", '-fps_mode', 'passthrough'];
    const { stdout } = await promisify(execFile)('ffmpeg', [...options, '-pix_fmt', 'rgb24', '-f', 'rawvideo', '-'], {
      encoding: 'buffer',
      maxBuffer: CLIP_BYTES_PER_FRAME * CLIP_FRAMES,
    });
    expect(stdout.length).toBe((CLIP_BYTES_PER_FRAME * CLIP_FRAMES) / 10);
    const tallies = emptyTallies();
    for (let i = 0; i < CLIP_FRAMES / 10; i++) {
      const pixels = stdout.subarray(i * CLIP_BYTES_PER_FRAME, (i + 1) * CLIP_BYTES_PER_FRAME);
      const found = await detector.detect({ width: CLIP_WIDTH, height: CLIP_HEIGHT, pixels });
      tallyFrame(tallies, clipSample(10 * i).truths, found);
    }
    const { precision, recall } = scoreOf(...tallies);
    expect(precision).toBeGreaterThanOrEqual(LEAST_SCORE);
    expect(recall).toBeGreaterThanOrEqual(LEAST_SCORE);
  });

  it('is the file that train.ts is known to write', () => {
    expect(sha256(model)).toBe(MODEL_SHA256);
  });

  it('has the labels of its classes in order', async () => {
    expect(await readFile(new URL('labels.txt', DEMO), 'utf8')).toBe(`${CLASSES.join('\n')}\n`);
  });
});

describe('the build', () => {
  it('gives the same bytes for the same seed', () => {
    const two = STAGES.map((stage): Stage => ({ ...stage, steps: 1 })).slice(-2);
    expect(sha256(modelOf(train(TRAINING_SEED, two, () => undefined)))).toBe(TWO_STEPS_SHA256);
  });

  it('exports a graph that computes what the trained network computes', async () => {
    const network = freshNetwork(5);
    const { drawing } = stillSample(5, 0, FRAME_WIDTH);
    const exported = await openDetector(modelOf(network));
    const answer = await exported.answer(drawing);
    await exported.close();
    const maps = forward(network, placePicture(drawing, INPUT_WIDTH, INPUT_HEIGHT).input);
    const expected = decodeCells(maps.at(-1) as FeatureMap);
    expect(answer.length).toBe(expected.length);
    const worst = answer.reduce((most, value, i) => Math.max(most, Math.abs(value - (expected[i] as number))), 0);
    expect(worst).toBeLessThan(1e-3);
  });

  it('follows slopes that agree with the change of the loss', () => {
    const network = freshNetwork(1);
    const sample = stillSample(1, 0, 160, {
      width: 320,
      height: 192,
      fewestObjects: 3,
      mostObjects: 5,
      mostClutter: 3,
    });
    const { input, placement } = placePicture(sample.drawing, 160, 96);
    const truths = placeTruths(sample.truths, placement);
    const gradients = network.layers.map(parametersOf);
    const lossOf = (): number => {
      const maps = forward(network, input);
      const cells = maps.at(-1) as FeatureMap;
      const slope = featureMap(cells.channels, cells.height, cells.width);
      const { score, box } = judge(cells, truths, 1, slope);
      learn(network, maps, slope, gradients);
      return score + box;
    };
    lossOf();
    const slopes = gradients.map(({ bias }) => bias.slice());
    for (const [layer, { bias }] of network.parameters.entries()) {
      const at = bias.length >> 1;
      const before = bias[at] as number;
      bias[at] = before + 1e-3;
      const above = lossOf();
      bias[at] = before - 1e-3;
      const below = lossOf();
      bias[at] = before;
      const slope = slopes[layer]?.[at] as number;
      expect(Math.abs((above - below) / 2e-3 - slope)).toBeLessThan(0.02 * Math.abs(slope) + 0.02);
    }
  });

  it('multiplies matrices of any size', () => {
    const random = new Random(9);
    const scratch = new Scratch();
    const sizes = [
      [4, 3, 8],
      [5, 27, 20],
      [12, 1, 3],
      [40, 360, 160],
    ] as const;
    for (const [rows, inner, columns] of sizes) {
      scratch.clear();
      const [a, b, out] = [scratch.matrix(rows, inner), scratch.matrix(inner, columns), scratch.matrix(rows, columns)];
      for (const matrix of [a, b]) for (let i = 0; i < matrix.data.length; i++) matrix.data[i] = random.between(-1, 1);
      multiply(a, b, out);
      for (let at = 0; at < rows * columns; at++) {
        const [m, n] = [Math.floor(at / columns), at % columns];
        expect(Math.abs((out.data[m * out.step + n] as number) - element(a, b, m, n))).toBeLessThan(1e-4);
      }
    }
  });

  it("has elementary functions that agree with the engine's", () => {
    for (let x = -40; x <= 40; x += 0.37) {
      expect(Math.abs(sine(x) - Math.sin(x))).toBeLessThan(1e-11);
      expect(Math.abs(cosine(x) - Math.cos(x))).toBeLessThan(1e-11);
      expect(Math.abs(exponential(x) / Math.exp(x) - 1)).toBeLessThan(1e-13);
      const positive = Math.abs(x) + 0.001;
      expect(Math.abs(logarithm(positive) - Math.log(positive))).toBeLessThan(1e-12);
    }
  });
});

describe('the drawings', () => {
  it('are the same pixels for the same seed', () => {
    expect(sha256(stillSample(7, 3, FRAME_WIDTH).drawing.pixels)).toBe(STILL_FRAME_SHA256);
    expect(sha256(clipSample(123).drawing.pixels)).toBe(CLIP_FRAME_SHA256);
  });

  it('show every class, sizes up to four times the smallest, covered objects, and at least half of each', () => {
    const truths = Array.from({ length: 60 }, (_, index) => stillSample(EVALUATION_SEED, index, 320).truths).flat();
    expect(new Set(truths.map(({ label }) => label))).toEqual(new Set(CLASSES));
    const balls = truths.filter(({ label, visible }) => label === 'ball' && visible > 0.99);
    const sizes = balls.map(({ x1, x2 }) => x2 - x1);
    expect(Math.max(...sizes) / Math.min(...sizes)).toBeGreaterThan(3);
    expect(truths.filter(({ visible }) => visible < 0.85).length).toBeGreaterThan(20);
    expect(truths.every(({ visible }) => visible >= LEAST_VISIBLE)).toBe(true);
  });
});
