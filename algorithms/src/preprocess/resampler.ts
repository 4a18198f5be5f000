/**
 * Resizes a plane of bytes row by row, so that the rows that come out are still in the processor's cache when they are
 * normalised into a tensor. Bit for bit what OpenCV's INTER_LINEAR makes of bytes (a test holds its figures).
 * Rows of a plane that has the target's size are read in place; one of twice the size takes a shorter way.
 *
 * Invariant: `bytes` and `offset` speak of the row of the last `seek`, and only until the next one.
 */
import { type ResampleAxis, resampleAxis } from './resample-axis.ts';
import { blendLines, halveLines, resampleLine } from './resample-lines.ts';

/** Rows of a picture, one at a time. */
export interface RowReader {
  readonly components: 'bgr' | 'rgb' | 'gray';
  /** The row that was sought: it starts at `offset` in `bytes`. */
  readonly bytes: Uint8Array;
  readonly offset: number;
  /** Takes the picture whose rows are sought next. */
  begin(data: Uint8Array): void;
  seek(row: number): void;
}

export type PlaneShape = {
  readonly width: number;
  readonly height: number;
  /** Bytes of one pixel: 3 interleaved, or 1. */
  readonly bytesPerPixel: 1 | 3;
};

/** Distance of two target pixels in source pixels. */
export type ResampleStep = { readonly x: number; readonly y: number };

type Way = 'in-place' | 'halve' | 'blend';

export class Resampler {
  bytes: Uint8Array;
  offset = 0;
  readonly #way: Way;
  readonly #bytesPerPixel: 1 | 3;
  readonly #bytesPerRow: number;
  readonly #columns: ResampleAxis;
  readonly #rows: ResampleAxis;
  readonly #out: Uint8Array;
  // Two source rows, resampled along x and kept by number: neighbouring target rows share them when enlarging.
  #lowerLine: Int32Array;
  #upperLine: Int32Array;
  #lowerLineRow = -1;
  #upperLineRow = -1;
  #data: Uint8Array;
  #start = 0;

  constructor(source: PlaneShape, targetWidth: number, targetHeight: number, step?: ResampleStep) {
    const stepX = step?.x ?? source.width / targetWidth;
    const stepY = step?.y ?? source.height / targetHeight;
    const times = (factor: number): boolean =>
      source.width === targetWidth * factor &&
      source.height === targetHeight * factor &&
      stepX === factor &&
      stepY === factor;
    this.#way = times(1) ? 'in-place' : times(2) ? 'halve' : 'blend';
    this.#bytesPerPixel = source.bytesPerPixel;
    this.#bytesPerRow = source.width * source.bytesPerPixel;
    this.#columns = resampleAxis(source.width, targetWidth, 'column', stepX);
    this.#rows = resampleAxis(source.height, targetHeight, 'row', stepY);
    const length = targetWidth * source.bytesPerPixel;
    this.#out = new Uint8Array(length);
    this.#lowerLine = new Int32Array(length);
    this.#upperLine = new Int32Array(length);
    this.#data = this.#out;
    this.bytes = this.#out;
  }

  /** Takes a picture whose plane starts at `start` of `data`. */
  begin(data: Uint8Array, start = 0): void {
    this.#data = data;
    this.#start = start;
    this.#lowerLineRow = -1;
    this.#upperLineRow = -1;
    this.bytes = this.#way === 'in-place' ? data : this.#out;
    this.offset = 0;
  }

  seek(row: number): void {
    switch (this.#way) {
      case 'in-place':
        this.offset = this.#start + row * this.#bytesPerRow;
        return;
      case 'halve':
        halveLines(this.#data, this.#start + 2 * row * this.#bytesPerRow, this.#bytesPerPixel, this.#out);
        return;
      case 'blend': {
        const { lower, upper, lowerWeight, upperWeight } = this.#rows;
        this.#load(lower[row] as number, upper[row] as number);
        blendLines(this.#lowerLine, this.#upperLine, lowerWeight[row] as number, upperWeight[row] as number, this.#out);
      }
    }
  }

  #load(lower: number, upper: number): void {
    if (this.#lowerLineRow !== lower && this.#upperLineRow === lower) {
      [this.#lowerLine, this.#upperLine] = [this.#upperLine, this.#lowerLine];
      [this.#lowerLineRow, this.#upperLineRow] = [this.#upperLineRow, this.#lowerLineRow];
    }
    if (this.#lowerLineRow !== lower) {
      this.#resample(lower, this.#lowerLine);
      this.#lowerLineRow = lower;
    }
    if (this.#upperLineRow !== upper) {
      if (upper === lower) this.#upperLine.set(this.#lowerLine);
      else this.#resample(upper, this.#upperLine);
      this.#upperLineRow = upper;
    }
  }

  #resample(row: number, line: Int32Array): void {
    resampleLine(this.#data, this.#start + row * this.#bytesPerRow, this.#bytesPerPixel, this.#columns, line);
  }
}

/** A packed picture (3 bytes a pixel, or gray) resized to the target. */
export class PackedRows extends Resampler implements RowReader {
  readonly components: 'bgr' | 'rgb' | 'gray';

  constructor(
    components: 'bgr' | 'rgb' | 'gray',
    width: number,
    height: number,
    targetWidth: number,
    targetHeight: number,
  ) {
    super({ width, height, bytesPerPixel: components === 'gray' ? 1 : 3 }, targetWidth, targetHeight);
    this.components = components;
  }
}
