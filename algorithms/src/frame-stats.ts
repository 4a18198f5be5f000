/**
 * `frame-stats`: what can be said of the newest frame of a window without a model: mean, minimum and maximum of each
 * channel, sharpness, and the SHA-256 of its bytes where asked. All sums are of integers, so that the figures are the
 * same on every machine; means and sharpness are rounded to 3 decimals.
 */
import { createHash } from 'node:crypto';
import type { Algorithm, AlgorithmContext, Frame } from '@stream-infer/algorithm';
import { channelStats } from './channel-stats.ts';
import { type FrameStatsOptions, frameStatsOptions } from './frame-stats-options.ts';
import { parseOptions } from './options.ts';
import { SharpnessMeter } from './sharpness.ts';
import { newestFrame } from './window.ts';

export type FrameStatsResult = {
  /** The names of the channels, in the order of the lists below: of the frame's pixel format. */
  readonly channels: readonly string[];
  readonly mean: readonly number[];
  readonly min: readonly number[];
  readonly max: readonly number[];
  /** Variance of the Laplacian of the luma: higher is sharper. */
  readonly sharpness: number;
  /** Of the frame's bytes, in hexadecimal; with `hash: true`. */
  readonly sha256?: string;
};

export default class FrameStats implements Algorithm {
  readonly #sharpness = new SharpnessMeter();
  #options: FrameStatsOptions = { hash: false };

  init(context: AlgorithmContext): void {
    this.#options = parseOptions(frameStatsOptions, context);
  }

  run(frames: readonly Frame[]): FrameStatsResult {
    const frame = newestFrame(frames);
    return {
      ...channelStats(frame),
      sharpness: this.#sharpness.measure(frame),
      ...(this.#options.hash && { sha256: createHash('sha256').update(frame.data).digest('hex') }),
    };
  }
}
