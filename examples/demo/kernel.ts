/**
 * The innermost loop of training: a WebAssembly function of our own, assembled here instruction by instruction.
 *
 * Why: the same loop in JavaScript does 2.4 billion multiplications a second on one core, this one 20, because it takes
 * four numbers at a time. WebAssembly's vector arithmetic is IEEE 754's, each operation rounded once and none fused, so
 * that the sums are the same bits on every processor.
 *
 * The function multiplies four rows of a matrix with a whole matrix: 4 × 8 sums stand in registers while a column of
 * the four rows and a row of the other matrix go by.
 */

/** All addresses and steps are in bytes of {@link kernelMemory}. */
export type Kernel = (
  /** First of the four rows, its end, and the way from one row to the next. */
  a: number,
  aEnd: number,
  aStep: number,
  /** First row of the other matrix, its end (a multiple of 32 bytes on), and the way to the next row. */
  b: number,
  bEnd: number,
  bStep: number,
  /** First of the four rows of the result, and the way to the next. */
  out: number,
  outStep: number,
) => void;

// Parameters and variables by number. P to P + 3 are the four rows' places, SUM to SUM + 7 the sums.
const [A, A_END, A_STEP, B, B_END, B_STEP, OUT, OUT_STEP] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const [P, Q, O] = [8, 12, 13] as const;
const [LEFT, RIGHT, FACTOR, SUM] = [14, 15, 16, 17] as const;
const PARAMETER_COUNT = 8;
const POINTER_COUNT = 6;
const VECTOR_COUNT = 11;

const I32 = 0x7f;
const V128 = 0x7b;
const VECTOR_BYTES = 16;
const FOUR = [0, 1, 2, 3] as const;
const HALVES = [LEFT, RIGHT] as const;

type Code = readonly number[];

const get = (variable: number): Code => [0x20, variable];
const set = (variable: number): Code => [0x21, variable];
const tee = (variable: number): Code => [0x22, variable];
const vector = (operation: number): Code => [0xfd, ...leb(operation)];
const advance = (pointer: number, amount: Code): Code => [...get(pointer), ...amount, 0x6a, ...set(pointer)];
const bytes = (count: number): Code => [0x41, count];
const load = (pointer: number, offset: number): Code => [...get(pointer), ...vector(0x00), 0, offset];
const loadToAllFour = (pointer: number): Code => [...get(pointer), ...vector(0x09), 0, 0];
const store = (pointer: number, offset: number, value: number): Code => [
  ...get(pointer),
  ...get(value),
  ...vector(0x0b),
  0,
  offset,
];
const zero: Code = [...vector(0x0c), ...new Array<number>(VECTOR_BYTES).fill(0)];
const multiplyAdd = (sum: number, left: number, right: number): Code => [
  ...get(sum),
  ...get(left),
  ...get(right),
  ...vector(0xe6),
  ...vector(0xe4),
  ...set(sum),
];
/** Runs the body, and again while `variable` is below `end`. */
const loop = (body: Code, variable: number, end: number): Code => [
  0x03,
  0x40,
  ...body,
  ...get(variable),
  ...get(end),
  0x49,
  0x0d,
  0,
  0x0b,
];

const clearSums: Code = [...zero, ...FOUR.flatMap((i) => [...tee(SUM + 2 * i), ...tee(SUM + 2 * i + 1)]), 0x1a];

const pointAtRows: Code = [
  ...get(A),
  ...set(P),
  ...FOUR.slice(1).flatMap((i) => [...get(P + i - 1), ...get(A_STEP), 0x6a, ...set(P + i)]),
  ...get(B),
  ...set(Q),
];

const addOneColumn: Code = [
  ...HALVES.flatMap((half, h) => [...load(Q, h * VECTOR_BYTES), ...set(half)]),
  ...FOUR.flatMap((i) => [
    ...loadToAllFour(P + i),
    ...set(FACTOR),
    ...HALVES.flatMap((half, h) => multiplyAdd(SUM + 2 * i + h, FACTOR, half)),
  ]),
  ...advance(Q, get(B_STEP)),
  ...FOUR.flatMap((i) => advance(P + i, bytes(4))),
];

const storeSums: Code = [
  ...get(OUT),
  ...set(O),
  ...FOUR.flatMap((i) => [
    ...store(O, 0, SUM + 2 * i),
    ...store(O, VECTOR_BYTES, SUM + 2 * i + 1),
    ...advance(O, get(OUT_STEP)),
  ]),
];

const body: Code = [
  2,
  POINTER_COUNT,
  I32,
  VECTOR_COUNT,
  V128,
  ...loop(
    [
      ...clearSums,
      ...pointAtRows,
      ...loop(addOneColumn, P, A_END),
      ...storeSums,
      ...advance(OUT, bytes(2 * VECTOR_BYTES)),
      ...advance(B, bytes(2 * VECTOR_BYTES)),
    ],
    B,
    B_END,
  ),
  0x0b,
];

const MAGIC: Code = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

const assembled = Uint8Array.from([
  ...MAGIC,
  ...section(1, [1, 0x60, PARAMETER_COUNT, ...new Array<number>(PARAMETER_COUNT).fill(I32), 0]),
  ...section(2, [1, ...name('demo'), ...name('memory'), 2, 0, 1]),
  ...section(3, [1, 0]),
  ...section(7, [1, ...name('kernel'), 0, 0]),
  ...section(10, [1, ...leb(body.length), ...body]),
]);

/** The part of the standard object that is used here; TypeScript describes it with the browser's objects alone. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: { readonly kernel: Kernel } };
};

/** What the kernel works on: 8 MiB. */
export const kernelMemory = new WebAssembly.Memory({ initial: 128 });

export const kernel = new WebAssembly.Instance(new WebAssembly.Module(assembled), { demo: { memory: kernelMemory } })
  .exports.kernel;

function section(id: number, content: Code): Code {
  return [id, ...leb(content.length), ...content];
}

function name(text: string): Code {
  return [text.length, ...Buffer.from(text)];
}

/** An unsigned integer, seven bits a byte, lowest first. */
function leb(value: number): Code {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
}
