/** Randomness that can be had again: the seed is printed, and given as STREAM_INFER_SEED repeats the run. */

export type Seeded = {
  readonly seed: number;
  /** Uniform in [0, 1). */
  random(): number;
  pick<T>(items: readonly T[]): T;
};

export function seeded(
  seed = Number(process.env.STREAM_INFER_SEED ?? Math.floor(Math.random() * 2 ** 31)),
  { quiet = false } = {},
): Seeded {
  if (!quiet) console.info(`STREAM_INFER_SEED=${seed}`);
  let state = seed >>> 0;
  // Mulberry32: enough to choose moments and victims by.
  const random = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { seed, random, pick: (items) => items[Math.floor(random() * items.length)] as never };
}
