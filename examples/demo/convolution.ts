/**
 * One convolution and its gradient over feature maps laid out channel × height × width.
 *
 * A strip of output rows at a time, the input under every tap is copied into a matrix (a row per input channel and tap,
 * a column per output pixel); the convolution is then one matrix product, and its gradient two.
 */
import { type Matrix, multiply, Scratch } from './matrix.ts';

/** Padding is `dilation × (kernel − 1) / 2` on each side. */
export interface ConvolutionShape {
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
}

/** A stack of pictures of features: channels × height × width. */
export interface FeatureMap {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly data: Float32Array;
}

/** outputs × inputs × kernel × kernel, and one bias per output; gradients have the same shape. */
export interface Parameters {
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

/** Columns of the matrix at most: with 360 rows it stays in a core's second-level cache. */
const STRIP_COLUMNS = 240;

const scratch = new Scratch();

export function featureMap(channels: number, height: number, width: number): FeatureMap {
  return { channels, height, width, data: new Float32Array(channels * height * width) };
}

export function parametersOf(shape: ConvolutionShape): Parameters {
  return {
    weights: new Float32Array(shape.outputs * tapsOf(shape)),
    bias: new Float32Array(shape.outputs),
  };
}

/** weights ∗ input + bias. */
export function convolve(shape: ConvolutionShape, parameters: Parameters, input: FeatureMap): FeatureMap {
  const out = featureMap(shape.outputs, Math.ceil(input.height / shape.stride), Math.ceil(input.width / shape.stride));
  eachStrip(out, (row, rows) => {
    scratch.clear();
    const columns = rows * out.width;
    const weights = scratch.matrix(shape.outputs, tapsOf(shape));
    const taps = scratch.matrix(tapsOf(shape), columns);
    const product = scratch.matrix(shape.outputs, columns);
    fillMatrix(weights, parameters.weights);
    gather(shape, input, out, row, rows, taps);
    multiply(weights, taps, product);
    for (let m = 0; m < shape.outputs; m++) {
      const bias = parameters.bias[m] as number;
      const from = m * product.step;
      const to = (m * out.height + row) * out.width;
      for (let n = 0; n < columns; n++) out.data[to + n] = (product.data[from + n] as number) + bias;
    }
  });
  return out;
}

/**
 * Adds to `gradients` what the slope `outSlope` of the loss at the output says about weights and bias, and to
 * `inputSlope`, where it is given, what it says about the input.
 */
export function backpropagate(
  shape: ConvolutionShape,
  parameters: Parameters,
  input: FeatureMap,
  outSlope: FeatureMap,
  gradients: Parameters,
  inputSlope?: FeatureMap,
): void {
  scratch.clear();
  const turnedWeights = scratch.matrix(tapsOf(shape), shape.outputs);
  fillTurned(turnedWeights, parameters.weights);
  const kept = scratch.used;
  eachStrip(outSlope, (row, rows) => {
    scratch.clear(kept);
    const columns = rows * outSlope.width;
    const taps = scratch.matrix(tapsOf(shape), columns);
    const slopes = scratch.matrix(shape.outputs, columns);
    const turnedSlopes = scratch.matrix(columns, shape.outputs);
    const turnedGradient = scratch.matrix(tapsOf(shape), shape.outputs);
    gather(shape, input, outSlope, row, rows, taps);
    for (let m = 0; m < shape.outputs; m++) {
      const start = (m * outSlope.height + row) * outSlope.width;
      let sum = 0;
      for (let n = 0; n < columns; n++) {
        const slope = outSlope.data[start + n] as number;
        sum += slope;
        slopes.data[m * slopes.step + n] = slope;
        turnedSlopes.data[n * turnedSlopes.step + m] = slope;
      }
      gradients.bias[m] = (gradients.bias[m] as number) + sum;
    }
    multiply(taps, turnedSlopes, turnedGradient);
    addTurned(turnedGradient, gradients.weights);
    if (inputSlope === undefined) return;
    multiply(turnedWeights, slopes, taps);
    scatter(shape, taps, inputSlope, outSlope, row, rows);
  });
}

function tapsOf(shape: ConvolutionShape): number {
  return shape.inputs * shape.kernel * shape.kernel;
}

function eachStrip(out: FeatureMap, visit: (row: number, rows: number) => void): void {
  const most = Math.max(1, Math.floor(STRIP_COLUMNS / out.width));
  for (let row = 0; row < out.height; row += most) visit(row, Math.min(most, out.height - row));
}

function fillMatrix(matrix: Matrix, values: Float32Array): void {
  for (let m = 0; m < matrix.rows; m++) {
    matrix.data.set(values.subarray(m * matrix.columns, (m + 1) * matrix.columns), m * matrix.step);
  }
}

/** matrix = valuesᵀ. */
function fillTurned(matrix: Matrix, values: Float32Array): void {
  const { rows, columns, step, data } = matrix;
  for (let n = 0; n < columns; n++) {
    for (let m = 0; m < rows; m++) data[m * step + n] = values[n * rows + m] as number;
  }
}

/** values += matrixᵀ. */
function addTurned(matrix: Matrix, values: Float32Array): void {
  const { rows, columns, step, data } = matrix;
  for (let n = 0; n < columns; n++) {
    for (let m = 0; m < rows; m++) {
      values[n * rows + m] = (values[n * rows + m] as number) + (data[m * step + n] as number);
    }
  }
}

/** The matrix of input values under every tap, for `rows` output rows from `row`. */
function gather(
  shape: ConvolutionShape,
  input: FeatureMap,
  out: FeatureMap,
  row: number,
  rows: number,
  taps: Matrix,
): void {
  taps.data.fill(0);
  eachTap(shape, input, out, row, rows, taps.step, (to, from, count, step) => {
    for (let i = 0, at = from; i < count; i++, at += step) taps.data[to + i] = input.data[at] as number;
  });
}

/** The reverse: adds every element of the matrix to the input value that it was copied from. */
function scatter(
  shape: ConvolutionShape,
  taps: Matrix,
  { channels, height, width, data }: FeatureMap,
  out: FeatureMap,
  row: number,
  rows: number,
): void {
  eachTap(shape, { channels, height, width, data }, out, row, rows, taps.step, (to, from, count, step) => {
    for (let i = 0, at = from; i < count; i++, at += step) {
      data[at] = (data[at] as number) + (taps.data[to + i] as number);
    }
  });
}

/** Calls `copy` for each run of taps inside the input: place in the matrix, place in the input, how many, step. */
function eachTap(
  shape: ConvolutionShape,
  input: FeatureMap,
  out: FeatureMap,
  row: number,
  rows: number,
  matrixStep: number,
  copy: (to: number, from: number, count: number, step: number) => void,
): void {
  const { kernel, stride, dilation } = shape;
  const padding = (dilation * (kernel - 1)) / 2;
  let start = 0;
  for (let channel = 0; channel < shape.inputs; channel++) {
    for (let ky = 0; ky < kernel; ky++) {
      for (let kx = 0; kx < kernel; kx++, start += matrixStep) {
        const shiftX = kx * dilation - padding;
        const first = Math.max(0, Math.ceil(-shiftX / stride));
        const last = Math.min(out.width - 1, Math.floor((input.width - 1 - shiftX) / stride));
        for (let r = 0; r < rows; r++) {
          const y = (row + r) * stride + ky * dilation - padding;
          if (y < 0 || y >= input.height || last < first) continue;
          const from = (channel * input.height + y) * input.width + first * stride + shiftX;
          copy(start + r * out.width + first, from, last - first + 1, stride);
        }
      }
    }
  }
}
