/**
 * Writes rows of bytes into a tensor: channel order, layout and normalisation in one pass. Normalising a byte is a
 * look-up in a table of 256 values per channel, so any scale, mean and deviation cost the same.
 */

export type TensorData = Float32Array | Uint8Array;

/** Elements from one channel, row and pixel to the next: every layout is a choice of these three. */
export type TensorStrides = { readonly channel: number; readonly row: number; readonly pixel: number };

export type ChannelOrder = 'rgb' | 'bgr' | 'gray';

export const channelCount = (order: ChannelOrder): 1 | 3 => (order === 'gray' ? 1 : 3);

/** `(value × scale − mean) / std`, per channel in the order of the tensor's channels. */
export type Normalisation = {
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
};

/** What each byte becomes, one table per channel. */
export function normalisationTables(order: ChannelOrder, normalisation: Normalisation): readonly Float32Array[] {
  const { scale, mean, std } = normalisation;
  return Array.from({ length: channelCount(order) }, (_, channel) =>
    Float32Array.from({ length: 256 }, (__, byte) => (byte * scale - (mean[channel] ?? 0)) / (std[channel] ?? 1)),
  );
}

export type Row = { readonly components: ChannelOrder; readonly bytes: Uint8Array; readonly offset: number };

/** Writes `count` pixels of a row, the first at element `at` of the tensor. */
export function writeRow(
  row: Row,
  count: number,
  order: ChannelOrder,
  tables: readonly Float32Array[],
  target: TensorData,
  at: number,
  strides: TensorStrides,
): void {
  if (order === 'gray') writeGray(row, count, tables[0] as Float32Array, target, at, strides.pixel);
  else if (row.components === 'gray') {
    for (let channel = 0; channel < 3; channel++) {
      const table = tables[channel] as Float32Array;
      copyThrough(row.bytes, row.offset, count, table, target, at + channel * strides.channel, strides.pixel);
    }
  } else writeColours(row, count, row.components === order, tables, target, at, strides);
}

function writeColours(
  row: Row,
  count: number,
  sameOrder: boolean,
  tables: readonly Float32Array[],
  target: TensorData,
  at: number,
  strides: TensorStrides,
): void {
  const { bytes } = row;
  const table0 = tables[sameOrder ? 0 : 2] as Float32Array;
  const table1 = tables[1] as Float32Array;
  const table2 = tables[sameOrder ? 2 : 0] as Float32Array;
  let at0 = sameOrder ? at : at + 2 * strides.channel;
  let at1 = at + strides.channel;
  let at2 = sameOrder ? at + 2 * strides.channel : at;
  const end = row.offset + 3 * count;
  for (let from = row.offset; from < end; from += 3) {
    target[at0] = table0[bytes[from] as number] as number;
    target[at1] = table1[bytes[from + 1] as number] as number;
    target[at2] = table2[bytes[from + 2] as number] as number;
    at0 += strides.pixel;
    at1 += strides.pixel;
    at2 += strides.pixel;
  }
}

function writeGray(
  row: Row,
  count: number,
  table: Float32Array,
  target: TensorData,
  at: number,
  pixelStride: number,
): void {
  const { components, bytes, offset } = row;
  if (components === 'gray') {
    copyThrough(bytes, offset, count, table, target, at, pixelStride);
    return;
  }
  const red = components === 'rgb' ? 0 : 2;
  const blue = 2 - red;
  for (let x = 0, from = offset, to = at; x < count; x++, from += 3, to += pixelStride) {
    const luma = lumaOf(bytes[from + red] as number, bytes[from + 1] as number, bytes[from + blue] as number);
    target[to] = table[luma] as number;
  }
}

function copyThrough(
  bytes: Uint8Array,
  offset: number,
  count: number,
  table: Float32Array,
  target: TensorData,
  at: number,
  pixelStride: number,
): void {
  for (let x = 0, to = at; x < count; x++, to += pixelStride) {
    target[to] = table[bytes[offset + x] as number] as number;
  }
}

/** BT.601 luma of full-range RGB, rounded to a byte. */
export const lumaOf = (red: number, green: number, blue: number): number =>
  (77 * red + 150 * green + 29 * blue + 128) >> 8;
