/**
 * SEMANTICS in the plainest way, for tests: every played frame goes into an array, as in the Python original, and windows are
 * cut out of it. Written apart from the schedule that it judges; slow, and short enough to be read against the document.
 */

export type Fraction = readonly [number, number];

export type ModelAlgorithm = {
  readonly name: string;
  readonly frameCount: number;
  readonly frameStep: number;
  /** Seconds. */
  readonly interval: Fraction;
};

export type ModelCall = { readonly algorithm: string; readonly n: number; readonly frames: readonly number[] };

/** Source numbers of what is played, and the calls of every algorithm in order. */
export type ModelRun = { readonly played: readonly number[]; readonly calls: readonly ModelCall[] };

/** a × b ≥ c × d. */
const atLeast = ([a, b]: Fraction, [c, d]: Fraction): boolean => BigInt(a) * BigInt(d) >= BigInt(c) * BigInt(b);
const times = ([a, b]: Fraction, [c, d]: Fraction): Fraction => [a * c, b * d];
/** The largest integer that is no larger: counted, not divided. */
function floorOf(value: Fraction): number {
  let whole = Math.max(0, Math.trunc(value[0] / value[1]) - 2);
  while (atLeast(value, [whole + 1, 1])) whole += 1;
  return whole;
}

/** Up to frameCount items, frameStep apart, counted back from the last; oldest first. */
function stepsBack<T>(items: readonly T[], frameCount: number, frameStep: number): T[] {
  const window: T[] = [];
  for (let at = items.length - 1; at >= 0 && window.length < frameCount; at -= Math.max(frameStep, 1))
    window.unshift(...items.slice(at, at + 1));
  return window;
}

/** A file with a constant rate. */
export function playByIndex(
  sourceFrames: number,
  sourceFps: Fraction,
  askedFps: Fraction,
  position: Fraction,
  algorithms: readonly ModelAlgorithm[],
): ModelRun {
  const slower = atLeast(sourceFps, askedFps);
  const fps = slower ? askedFps : sourceFps;
  // Below what was asked, but by less than 1 %.
  const nearly = !slower && !atLeast(times(askedFps, [99, 100]), sourceFps);
  const dueFps = nearly ? askedFps : fps;
  const start = floorOf(times(position, sourceFps));
  const buffer: { n: number; index: number }[] = [];
  const calls: ModelCall[] = [];
  let n = floorOf(times(fps, position)) + 1;
  for (let index = start; index < sourceFrames; index += 1) {
    // The k-th played frame is the first with (index - start) >= k × source / fps.
    if (!atLeast(times([index - start, 1], fps), times([buffer.length, 1], sourceFps))) continue;
    buffer.push({ n, index });
    for (const { name, frameCount, frameStep, interval } of algorithms) {
      if (n % floorOf(times(interval, dueFps)) !== 0) continue;
      if (buffer.length < frameCount * frameStep) continue;
      const window = stepsBack(buffer, frameCount, frameStep);
      calls.push({ algorithm: name, n, frames: window.map((frame) => frame.index) });
    }
    n += 1;
  }
  return { played: buffer.map(({ index }) => index), calls };
}

/** A file with a variable rate, or a live source: `timesMs` are the presentation times of its frames, from 0. */
export function playByTime(
  timesMs: readonly number[],
  fps: Fraction,
  position: Fraction,
  algorithms: readonly ModelAlgorithm[],
): ModelRun {
  const first = floorOf(times(fps, position)) + 1;
  /** Slot by slot from the first: the source number of the frame that stands there. */
  const slots: (number | undefined)[] = [];
  const played: number[] = [];
  const calls: ModelCall[] = [];
  timesMs.forEach((timeMs, index) => {
    const n = floorOf(times([timeMs - (timesMs[0] ?? 0) + 1, 1000], fps)) + 1;
    if (n < first || n - first < slots.length) return;
    while (slots.length < n - first) slots.push(slots.at(-1));
    slots.push(index);
    played.push(index);
    for (const { name, frameCount, frameStep, interval } of algorithms) {
      if (n % floorOf(times(interval, fps)) !== 0) continue;
      if (slots.length < frameCount * frameStep) continue;
      const frames = stepsBack(slots, frameCount, frameStep);
      const present = frames.filter((frame) => frame !== undefined);
      if (frameStep > 0 && present.length < frames.length) continue;
      calls.push({ algorithm: name, n, frames: present });
    }
  });
  return { played, calls };
}
