/**
 * Windows of an algorithm that comes after others, for as long as some of these have not said what they make of them. Each keeps its
 * frames, so that they are there when it is due.
 */

import type { PublishedFrame } from './frame-history.ts';
import type { UpstreamResult, UpstreamResults } from './upstream.ts';
import type { Window } from './window.ts';

/** A window with when it would have been due by its frames alone. */
export type PreparedWindow<F> = {
  readonly n: number;
  readonly window: Window<F>;
  readonly triggeredAtMs: number;
  readonly capturedAtMs: number;
  /** What has been said so far; of a window that is due by its interval there is none. */
  readonly inputs?: UpstreamResults;
};

/** A window that is due. */
export type Trigger<F> = {
  /** Of the newest frame. */
  readonly n: number;
  /** Oldest first. With a frameCount of 0 the newest alone, which tells its place and is not handed over. */
  readonly frames: readonly F[];
  /** What the algorithms that it comes after said of n. */
  readonly inputs?: UpstreamResults;
  readonly triggeredAtMs: number;
  /** When its newest frame was captured. */
  readonly capturedAtMs: number;
};

/** A window and what was answered. */
export type Answered<F, A> = { readonly trigger: Trigger<F>; readonly answer: A };

type Entry<F> = { readonly window: PreparedWindow<F>; readonly inputs: Map<string, UpstreamResult> };

/** `F`: what is known of a frame. */
export class PreparedWindows<F extends PublishedFrame> {
  /** By n, ascending. */
  readonly #entries = new Map<number, Entry<F>>();

  get size(): number {
    return this.#entries.size;
  }

  /** The oldest n; Infinity where there is none. */
  get oldest(): number {
    const [oldest = Number.POSITIVE_INFINITY] = this.#entries.keys();
    return oldest;
  }

  /** The oldest slot that one of them wants; Infinity where there is none. */
  get neededFrom(): number {
    const [entry] = this.#entries.values();
    if (entry === undefined) return Number.POSITIVE_INFINITY;
    const { n, window } = entry.window;
    return (window.kind === 'filled' ? window.frames[0]?.n : undefined) ?? n;
  }

  has(n: number): boolean {
    return this.#entries.has(n);
  }

  /** @param window its n is above all others. */
  add(window: PreparedWindow<F>): void {
    this.#entries.set(window.n, { window, inputs: new Map() });
  }

  /** The window n, with all of its inputs, once `count` of them are there; it is taken out then. */
  input(name: string, n: number, result: UpstreamResult, count: number): PreparedWindow<F> | undefined {
    const entry = this.#entries.get(n);
    if (entry === undefined || entry.inputs.set(name, result).size < count) return undefined;
    this.#entries.delete(n);
    return { ...entry.window, inputs: entry.inputs };
  }

  /** Takes window n out; false where there is none. */
  delete(n: number): boolean {
    return this.#entries.delete(n);
  }
}

/** As it is when it is due; undefined where a frame of it was lost. */
export function triggerOf<F>({
  n,
  window,
  triggeredAtMs,
  capturedAtMs,
  inputs,
}: PreparedWindow<F>): Trigger<F> | undefined {
  if (window.kind !== 'filled') return undefined;
  return { n, frames: window.frames, triggeredAtMs, capturedAtMs, ...(inputs && { inputs }) };
}
