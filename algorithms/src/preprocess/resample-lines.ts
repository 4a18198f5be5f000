/**
 * The inner loops of the resampler, in the integer arithmetic of OpenCV's INTER_LINEAR: weights have 11 fractional bits,
 * and a line resampled along x keeps 7 of them, so that the products of the vertical pass fit 32 bits. `Math.imul` and
 * hoisted lengths are for the compiler: these loops run for every pixel of every frame.
 */
import type { ResampleAxis } from './resample-axis.ts';

/** Resamples the row that starts at `start` of `data` along x, into `line`: values × 128. */
export function resampleLine(
  data: Uint8Array,
  start: number,
  bytesPerPixel: 1 | 3,
  columns: ResampleAxis,
  line: Int32Array,
): void {
  if (bytesPerPixel === 3) resampleLine3(data, start, columns, line);
  else resampleLine1(data, start, columns, line);
}

// left × (2048 − weight) + right × weight, with one product.

function resampleLine3(data: Uint8Array, start: number, columns: ResampleAxis, line: Int32Array): void {
  const { lower, upper, upperWeight } = columns;
  const width = lower.length;
  for (let x = 0, at = 0; x < width; x++, at += 3) {
    const left = (start + 3 * (lower[x] as number)) | 0;
    const right = (start + 3 * (upper[x] as number)) | 0;
    const weight = upperWeight[x] as number;
    const first = data[left] as number;
    const second = data[left + 1] as number;
    const third = data[left + 2] as number;
    line[at] = ((first << 11) + Math.imul((data[right] as number) - first, weight)) >> 4;
    line[at + 1] = ((second << 11) + Math.imul((data[right + 1] as number) - second, weight)) >> 4;
    line[at + 2] = ((third << 11) + Math.imul((data[right + 2] as number) - third, weight)) >> 4;
  }
}

function resampleLine1(data: Uint8Array, start: number, columns: ResampleAxis, line: Int32Array): void {
  const { lower, upper, upperWeight } = columns;
  const width = lower.length;
  for (let x = 0; x < width; x++) {
    const left = data[start + (lower[x] as number)] as number;
    const right = data[start + (upper[x] as number)] as number;
    line[x] = ((left << 11) + Math.imul(right - left, upperWeight[x] as number)) >> 4;
  }
}

/** The row between two resampled lines, rounded to bytes. */
export function blendLines(
  lower: Int32Array,
  upper: Int32Array,
  lowerWeight: number,
  upperWeight: number,
  out: Uint8Array,
): void {
  const length = out.length;
  for (let at = 0; at < length; at++) {
    const first = Math.imul(lower[at] as number, lowerWeight) >> 16;
    const second = Math.imul(upper[at] as number, upperWeight) >> 16;
    out[at] = (first + second + 2) >> 2;
  }
}

/** A row of a picture of half the size, out of the two rows from `start` on: what the general way comes to there. */
export function halveLines(data: Uint8Array, start: number, bytesPerPixel: 1 | 3, out: Uint8Array): void {
  const length = out.length;
  let above = start;
  let below = start + 2 * length;
  if (bytesPerPixel === 1) {
    for (let at = 0; at < length; at++, above += 2, below += 2) out[at] = quarter(data, above, below, 1);
    return;
  }
  for (let at = 0; at < length; at += 3, above += 6, below += 6) {
    out[at] = quarter(data, above, below, 3);
    out[at + 1] = quarter(data, above + 1, below + 1, 3);
    out[at + 2] = quarter(data, above + 2, below + 2, 3);
  }
}

const quarter = (data: Uint8Array, above: number, below: number, next: 1 | 3): number =>
  ((data[above] as number) +
    (data[above + next] as number) +
    (data[below] as number) +
    (data[below + next] as number) +
    2) >>
  2;
