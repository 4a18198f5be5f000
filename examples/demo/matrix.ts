/** Matrices in the kernel's memory, and their product. */
import { kernel, kernelMemory } from './kernel.ts';

/** The kernel does 4 rows and 8 columns at a time; matrices are padded to that. */
const ROWS_AT_ONCE = 4;
const COLUMNS_AT_ONCE = 8;

/** Row-major, 32-bit: element (row, column) is `data[row × step + column]`. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** Numbers from one row to the next: the columns, rounded up to a multiple of 8. */
  readonly step: number;
  readonly address: number;
  readonly data: Float32Array;
}

/** Hands out room for matrices, one after the other; what is taken back is overwritten by the next. */
export class Scratch {
  #used = 0;

  /** Bytes handed out. */
  get used(): number {
    return this.#used;
  }

  /** Takes back all but the first `kept` bytes. */
  clear(kept = 0): void {
    this.#used = kept;
  }

  /** A matrix whose numbers are whatever stood there; the padding may hold anything finite. */
  matrix(rows: number, columns: number): Matrix {
    const step = roundUp(columns, COLUMNS_AT_ONCE);
    const count = roundUp(rows, ROWS_AT_ONCE) * step;
    const address = this.#used;
    this.#used += count * Float32Array.BYTES_PER_ELEMENT;
    return { rows, columns, step, address, data: new Float32Array(kernelMemory.buffer, address, count) };
  }
}

/** out = a · b: a is m × k, b is k × n, out is m × n. */
export function multiply(a: Matrix, b: Matrix, out: Matrix): void {
  if (a.columns !== b.rows || out.rows !== a.rows || out.columns !== b.columns) {
    throw new RangeError(`${a.rows}×${a.columns} · ${b.rows}×${b.columns} is no ${out.rows}×${out.columns}`);
  }
  for (let row = 0; row < a.rows; row += ROWS_AT_ONCE) {
    const start = a.address + 4 * row * a.step;
    const target = out.address + 4 * row * out.step;
    const end = start + 4 * a.columns;
    kernel(start, end, 4 * a.step, b.address, b.address + 4 * b.step, 4 * b.step, target, 4 * out.step);
  }
}

function roundUp(count: number, unit: number): number {
  return Math.ceil(count / unit) * unit;
}
