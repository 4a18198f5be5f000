/**
 * From the bytes of a frame to a model's input in one pass over the rows: resize, place, reorder, normalise. The tables
 * of a pair of sizes are kept and used again for every frame of that size; the tensor is the caller's, so nothing of
 * a frame's size is allocated per frame.
 */
import type { Frame } from '@stream-infer/algorithm';
import type { Placement } from './placement.ts';
import { PackedRows, type RowReader } from './resampler.ts';
import {
  type ChannelOrder,
  channelCount,
  type Normalisation,
  normalisationTables,
  type TensorData,
  type TensorStrides,
  writeRow,
} from './tensor-writer.ts';
import { Yuv420pRows } from './yuv420p-rows.ts';

/** The part of a frame that is a picture. */
export type Picture = Pick<Frame, 'width' | 'height' | 'pixelFormat' | 'data'>;

export type PreprocessorOptions = Normalisation & {
  readonly channels: ChannelOrder;
  /** The byte that padding is made of, before normalisation. */
  readonly padding: number;
};

/** Cameras of so many different sizes keep their tables; beyond, the tables are computed anew. */
const MAX_READERS = 32;

export class Preprocessor {
  readonly #channels: ChannelOrder;
  readonly #tables: readonly Float32Array[];
  readonly #padding: number;
  readonly #readers = new Map<string, RowReader>();

  constructor(options: PreprocessorOptions) {
    this.#channels = options.channels;
    this.#tables = normalisationTables(options.channels, options);
    this.#padding = options.padding;
  }

  /** Writes the picture, placed as `placement` says, to the part of `target` that starts at element `at`. */
  write(picture: Picture, placement: Placement, target: TensorData, at: number, strides: TensorStrides): void {
    this.#pad(placement, target, at, strides);
    const reader = this.#reader(picture, placement);
    reader.begin(picture.data);
    let to = at + placement.top * strides.row + placement.left * strides.pixel;
    for (let row = 0; row < placement.contentHeight; row++, to += strides.row) {
      reader.seek(row);
      writeRow(reader, placement.contentWidth, this.#channels, this.#tables, target, to, strides);
    }
  }

  #reader(picture: Picture, placement: Placement): RowReader {
    const { width, height, pixelFormat } = picture;
    const { contentWidth, contentHeight } = placement;
    const key = `${pixelFormat} ${width}x${height} ${contentWidth}x${contentHeight}`;
    const known = this.#readers.get(key);
    if (known !== undefined) return known;
    if (this.#readers.size >= MAX_READERS) this.#readers.clear();
    const reader = rowReader(picture, contentWidth, contentHeight);
    this.#readers.set(key, reader);
    return reader;
  }

  #pad(placement: Placement, target: TensorData, at: number, strides: TensorStrides): void {
    const { width, height, left, top, contentWidth, contentHeight } = placement;
    const bottom = top + contentHeight;
    const right = left + contentWidth;
    for (let channel = 0; channel < channelCount(this.#channels); channel++) {
      const value = (this.#tables[channel] as Float32Array)[this.#padding] as number;
      const plane = at + channel * strides.channel;
      for (let row = 0; row < height; row++) {
        const line = plane + row * strides.row;
        if (row < top || row >= bottom) fill(target, value, line, width, strides.pixel);
        else {
          if (left > 0) fill(target, value, line, left, strides.pixel);
          if (right < width) fill(target, value, line + right * strides.pixel, width - right, strides.pixel);
        }
      }
    }
  }
}

function rowReader(picture: Picture, targetWidth: number, targetHeight: number): RowReader {
  const { width, height, pixelFormat } = picture;
  switch (pixelFormat) {
    case 'bgr24':
      return new PackedRows('bgr', width, height, targetWidth, targetHeight);
    case 'rgb24':
      return new PackedRows('rgb', width, height, targetWidth, targetHeight);
    case 'gray':
      return new PackedRows('gray', width, height, targetWidth, targetHeight);
    case 'yuv420p':
      return new Yuv420pRows(width, height, targetWidth, targetHeight);
  }
}

function fill(target: TensorData, value: number, start: number, count: number, pixelStride: number): void {
  if (pixelStride === 1) target.fill(value, start, start + count);
  else for (let x = 0, to = start; x < count; x++, to += pixelStride) target[to] = value;
}
