/**
 * One convolution and its gradient over feature maps laid out channel × height × width.
 *
 * A strip of output rows at a time, the input under every tap is copied into a matrix (a row per input channel and tap,
 * a column per output pixel); the convolution is then one matrix product, and its gradient two.
 */
import { addProductWithTransposed, multiply, transpose } from './matrix.ts';

/** Padding is `dilation × (kernel − 1) / 2` on each side; channel counts out are multiples of 4, widths out even. */
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

/** Columns of the matrix at most: with 300 rows it stays in a core's second-level cache. */
const STRIP_COLUMNS = 160;

export function featureMap(channels: number, height: number, width: number): FeatureMap {
  return { channels, height, width, data: new Float32Array(channels * height * width) };
}

export function parametersOf(shape: ConvolutionShape): Parameters {
  return {
    weights: new Float32Array(shape.outputs * shape.inputs * shape.kernel * shape.kernel),
    bias: new Float32Array(shape.outputs),
  };
}

/** out = weights ∗ input + bias. */
export function convolve(shape: ConvolutionShape, parameters: Parameters, input: FeatureMap): FeatureMap {
  const out = featureMap(shape.outputs, Math.ceil(input.height / shape.stride), Math.ceil(input.width / shape.stride));
  const inner = shape.inputs * shape.kernel * shape.kernel;
  eachStrip(out, (row, rows) => {
    const columns = rows * out.width;
    const taps = gather(shape, input, out, row, rows);
    const stride = out.height * out.width;
    multiply(parameters.weights, taps, shape.outputs, inner, columns, out.data, row * out.width, stride, parameters.bias);
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
  const inner = shape.inputs * shape.kernel * shape.kernel;
  const turned = inputSlope === undefined ? undefined : transpose(parameters.weights, shape.outputs, inner);
  const size = outSlope.height * outSlope.width;
  eachStrip(outSlope, (row, rows) => {
    const columns = rows * outSlope.width;
    const slopes = new Float32Array(shape.outputs * columns);
    for (let m = 0; m < shape.outputs; m++) {
      const start = m * size + row * outSlope.width;
      slopes.set(outSlope.data.subarray(start, start + columns), m * columns);
      let sum = 0;
      for (let n = 0; n < columns; n++) sum += slopes[m * columns + n] as number;
      gradients.bias[m] = (gradients.bias[m] as number) + sum;
    }
    const taps = gather(shape, input, outSlope, row, rows);
    addProductWithTransposed(slopes, taps, shape.outputs, columns, inner, gradients.weights);
    if (inputSlope === undefined || turned === undefined) return;
    multiply(turned, slopes, inner, shape.outputs, columns, taps, 0, columns);
    scatter(shape, taps, inputSlope, outSlope, row, rows);
  });
}

function eachStrip(out: FeatureMap, visit: (row: number, rows: number) => void): void {
  const most = Math.max(1, Math.floor(STRIP_COLUMNS / out.width));
  for (let row = 0; row < out.height; row += most) visit(row, Math.min(most, out.height - row));
}

/** The matrix of input values under every tap, for `rows` output rows from `row`. */
function gather(shape: ConvolutionShape, input: FeatureMap, out: FeatureMap, row: number, rows: number): Float32Array {
  const taps = new Float32Array(shape.inputs * shape.kernel * shape.kernel * rows * out.width);
  const { data } = input;
  eachTap(shape, input, out, row, rows, (to, from, count, step) => {
    for (let i = 0, at = from; i < count; i++, at += step) taps[to + i] = data[at] as number;
  });
  return taps;
}

/** The reverse: adds every element of the matrix to the input value that it was copied from. */
function scatter(
  shape: ConvolutionShape,
  taps: Float32Array,
  input: FeatureMap,
  out: FeatureMap,
  row: number,
  rows: number,
): void {
  const { data } = input;
  eachTap(shape, input, out, row, rows, (to, from, count, step) => {
    for (let i = 0, at = from; i < count; i++, at += step) data[at] = (data[at] as number) + (taps[to + i] as number);
  });
}

/** Calls `copy` for each run of taps inside the input: place in the matrix, place in the input, how many, step. */
function eachTap(
  shape: ConvolutionShape,
  input: FeatureMap,
  out: FeatureMap,
  row: number,
  rows: number,
  copy: (to: number, from: number, count: number, step: number) => void,
): void {
  const { kernel, stride, dilation } = shape;
  const padding = (dilation * (kernel - 1)) / 2;
  let to = 0;
  for (let channel = 0; channel < shape.inputs; channel++) {
    for (let ky = 0; ky < kernel; ky++) {
      for (let kx = 0; kx < kernel; kx++) {
        const shiftX = kx * dilation - padding;
        const first = Math.max(0, Math.ceil(-shiftX / stride));
        const last = Math.min(out.width - 1, Math.floor((input.width - 1 - shiftX) / stride));
        for (let r = row; r < row + rows; r++, to += out.width) {
          const y = r * stride + ky * dilation - padding;
          if (y < 0 || y >= input.height || last < first) continue;
          const from = (channel * input.height + y) * input.width + first * stride + shiftX;
          copy(to + first, from, last - first + 1, stride);
        }
      }
    }
  }
}
