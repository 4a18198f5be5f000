/**
 * One axis of a bilinear resize: for each target coordinate the two source coordinates it lies between, and their
 * weights. Half-pixel centres and 11-bit weights, as in OpenCV's INTER_LINEAR for bytes, so that a model sees what it
 * was trained on; the tables are computed once for a pair of sizes and read for every frame.
 */

export type ResampleAxis = {
  /** The nearer-to-zero neighbour of each target coordinate, and the one after it, both inside the source. */
  readonly lower: Int32Array;
  readonly upper: Int32Array;
  /** Their weights in 1/2048; they sum to 2048. */
  readonly lowerWeight: Int32Array;
  readonly upperWeight: Int32Array;
};

const WEIGHT_ONE = 2048;

/**
 * The table that maps `targetLength` coordinates onto `sourceLength` ones.
 * `step` is the distance between two targets in source pixels (other than the quotient for chroma planes of odd sizes).
 * Beyond the first and the last source pixel a column takes that pixel whole and a row takes it twice with its two
 * weights: the same colour, rounded as OpenCV rounds it.
 */
export function resampleAxis(
  sourceLength: number,
  targetLength: number,
  edge: 'column' | 'row',
  step: number = sourceLength / targetLength,
): ResampleAxis {
  const lower = new Int32Array(targetLength);
  const upper = new Int32Array(targetLength);
  const lowerWeight = new Int32Array(targetLength);
  const upperWeight = new Int32Array(targetLength);
  const last = sourceLength - 1;
  for (let target = 0; target < targetLength; target++) {
    const position = Math.fround((target + 0.5) * step - 0.5);
    const index = Math.floor(position);
    const outside = index < 0 || index >= last;
    const fraction = outside && edge === 'column' ? 0 : Math.fround(position - index);
    lower[target] = clamp(index, last);
    upper[target] = clamp(index + 1, last);
    lowerWeight[target] = roundHalfToEven(Math.fround(1 - fraction) * WEIGHT_ONE);
    upperWeight[target] = roundHalfToEven(fraction * WEIGHT_ONE);
  }
  return { lower, upper, lowerWeight, upperWeight };
}

const clamp = (index: number, last: number): number => Math.max(0, Math.min(last, index));

function roundHalfToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}
