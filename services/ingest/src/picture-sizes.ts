/**
 * How large the pictures of a source are, before they are scaled: which may change at any picture. ffmpeg's lines about frames do not
 * say it, but its expressions know: one of them, evaluated for every selected picture, writes a line to standard error where the size
 * is another than before, and marks the picture's own line as odd or even, in turns. The lines are read from two pipes; both count the sizes, so
 * that each picture has its own, whichever comes first. Pure.
 */

import type { Size } from './geometry.ts';

/** The value of `i` in a picture's line. */
export const EVEN = '1';
export const ODD = '2';

const SIDE = 2 ** 16;
/** Level of ffmpeg's log at which the line is shown: error. */
const LOG_LEVEL = 16;
/** Sizes remembered: pictures under way have no older one. */
const MOST_SIZES = 64;

/** Registers: 0 the size of the picture before, 1 how many sizes there were. ffmpeg evaluates it more than once a picture. */
const IS_ODD = [
  `if(eq(w*${SIDE}+h,ld(0)),0,st(0,w*${SIDE}+h);st(1,ld(1)+1);print(ld(1)*${SIDE ** 2}+ld(0),${LOG_LEVEL}))`,
  'mod(ld(1),2)',
].join(';');

/** Filters that mark each picture. A scale that scales nothing: behind it alone a filter learns of a new size. */
export const SIZE_MARKS: readonly string[] = [
  'scale=w=iw:h=ih:eval=frame',
  `metadata=mode=modify:key=i:value=${ODD}:enable='${IS_ODD}'`,
];

const LINE = /^(?:\[[^\]]*\] )*(\d+)\.000000$/;

export class PictureSizes {
  /** By how many there were before, and with it. */
  readonly #sizes = new Map<number, Size>();
  #marked = 0;

  /** Whether a line of standard error tells of a size; it is remembered. */
  read(line: string): boolean {
    const value = Number(LINE.exec(line)?.[1] ?? Number.NaN);
    if (!Number.isSafeInteger(value)) return false;
    const size = value % SIDE ** 2;
    this.#sizes.set(Math.floor(value / SIDE ** 2), { width: Math.floor(size / SIDE), height: size % SIDE });
    for (const [number] of this.#sizes) if (this.#sizes.size > MOST_SIZES) this.#sizes.delete(number);
    return true;
  }

  /** Which size the next picture has, by its mark: 1 is the first. */
  next(isOdd: boolean): number {
    if (isOdd !== (this.#marked % 2 === 1)) this.#marked += 1;
    return this.#marked;
  }

  /** Undefined where ffmpeg has not said, or it is long ago. */
  get(number: number): Size | undefined {
    return this.#sizes.get(number);
  }
}
