/** The cells that anchor-free detectors predict boxes for: one grid per stride, row by row. */
import type { Size } from '../preprocess/placement.ts';

export const STRIDES = [8, 16, 32] as const;

/** A free input size must be a multiple of this on both sides, so that every grid covers the input. */
export const SIZE_MULTIPLE = 32;

export type Grid = { readonly stride: number; readonly columns: number; readonly rows: number };

export const gridOf = (input: Size, stride: number): Grid => ({
  stride,
  columns: Math.floor(input.width / stride),
  rows: Math.floor(input.height / stride),
});

/** Cells of all three grids together. */
export function cellCount(input: Size): number {
  return STRIDES.reduce((sum, stride) => {
    const { columns, rows } = gridOf(input, stride);
    return sum + columns * rows;
  }, 0);
}
