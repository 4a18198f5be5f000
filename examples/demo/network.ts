/**
 * The detector's network: a chain of convolutions that ends in a row of numbers for each cell of 8 × 8 pixels.
 *
 * Per cell: where the middle of the object is within reach of the cell (2 numbers, in cells), the logarithm of its width
 * and height in cells (2), and a score per class before the sigmoid. `decode.ts` and the exported graph read them alike.
 * Wide dilations instead of more strides let one stride see objects of every size.
 */
import {
  backpropagate,
  type ConvolutionShape,
  convolve,
  type FeatureMap,
  featureMap,
  type Parameters,
  parametersOf,
} from './convolution.ts';
import { Random } from './random.ts';
import { CLASSES } from './shape.ts';

/** Pixels of the input per cell, each way. */
export const STRIDE = 8;
export const BOX_NUMBERS = 4;

export interface Layer extends ConvolutionShape {
  readonly name: string;
  /** The layer's input is added to its convolution. */
  readonly residual: boolean;
  /** Negative results become 0. */
  readonly relu: boolean;
}

export interface Network {
  readonly layers: readonly Layer[];
  /** One per layer. */
  readonly parameters: readonly Parameters[];
}

const LAYERS: readonly Layer[] = [
  layer('half', 3, 16, { stride: 2 }),
  layer('quarter', 16, 32, { stride: 2 }),
  layer('eighth', 32, 40, { stride: 2 }),
  layer('near', 40, 40, { residual: true }),
  layer('wide', 40, 40, { residual: true, dilation: 2 }),
  layer('wider', 40, 40, { residual: true, dilation: 4 }),
  layer('last', 40, 40, { residual: true }),
  layer('cells', 40, BOX_NUMBERS + CLASSES.length, { kernel: 1, relu: false }),
];

/** Untrained: weights of mean 0 scaled to keep the signal's size, and scores that start near 0.02. */
export function freshNetwork(seed: number): Network {
  const parameters = LAYERS.map((shape, index) => {
    const random = new Random(seed, index);
    const made = parametersOf(shape);
    const fanIn = shape.inputs * shape.kernel * shape.kernel;
    const deviation = Math.sqrt((shape.relu ? 2 : 0.2) / fanIn) * (shape.residual ? 0.5 : 1);
    for (let i = 0; i < made.weights.length; i++) made.weights[i] = deviation * random.bell();
    if (!shape.relu) made.bias.fill(-4, BOX_NUMBERS);
    if (!shape.relu) made.bias.fill(1.2, 2, BOX_NUMBERS);
    return made;
  });
  return { layers: LAYERS, parameters };
}

/** Every layer's output in order, the input first: what {@link learn} needs again. */
export function forward(network: Network, input: FeatureMap): FeatureMap[] {
  const maps = [input];
  network.layers.forEach((shape, index) => {
    const before = maps[index] as FeatureMap;
    const out = convolve(shape, network.parameters[index] as Parameters, before);
    const { data } = out;
    if (shape.residual)
      for (let i = 0; i < data.length; i++) data[i] = (data[i] as number) + (before.data[i] as number);
    if (shape.relu) for (let i = 0; i < data.length; i++) if ((data[i] as number) < 0) data[i] = 0;
    maps.push(out);
  });
  return maps;
}

/** Adds to `gradients` (one per layer) the slopes of a loss whose slope at the last map is `slope`, which it overwrites. */
export function learn(
  network: Network,
  maps: readonly FeatureMap[],
  slope: FeatureMap,
  gradients: readonly Parameters[],
): void {
  let after = slope;
  for (let index = network.layers.length - 1; index >= 0; index--) {
    const shape = network.layers[index] as Layer;
    const input = maps[index] as FeatureMap;
    const out = (maps[index + 1] as FeatureMap).data;
    if (shape.relu) for (let i = 0; i < out.length; i++) if (out[i] === 0) after.data[i] = 0;
    const before = index === 0 ? undefined : featureMap(input.channels, input.height, input.width);
    if (before !== undefined && shape.residual) before.data.set(after.data);
    const parameters = network.parameters[index] as Parameters;
    backpropagate(shape, parameters, input, after, gradients[index] as Parameters, before);
    if (before !== undefined) after = before;
  }
}

function layer(name: string, inputs: number, outputs: number, differs: Partial<Layer>): Layer {
  return { name, inputs, outputs, kernel: 3, stride: 1, dilation: 1, residual: false, relu: true, ...differs };
}
