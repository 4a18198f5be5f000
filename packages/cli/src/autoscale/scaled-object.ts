/**
 * What KEDA does around the HorizontalPodAutoscaler that it makes of a ScaledObject: it wakes the first replica and stops the last one, and where
 * the query has no answer it gives the autoscaler a metric of its own making.
 */

import { HorizontalScaler, type HorizontalScalerOptions } from './horizontal-scaler.ts';

export type ScaledObjectOptions = Omit<HorizontalScalerOptions, 'minReplicas'> & {
  readonly minReplicas: number;
  /** How often it is looked whether there is anything to do. */
  readonly pollingSeconds: number;
  /** How long nothing is to do before the last replica stops. */
  readonly cooldownSeconds: number;
  /** Undefined where no answer changes nothing. `currentReplicasIfHigher`. */
  readonly fallback: { readonly failureThreshold: number; readonly replicas: number } | undefined;
};

/** How often the HorizontalPodAutoscaler decides. */
const SYNC_SECONDS = 15;

export class ScaledObject {
  readonly #options: ScaledObjectOptions;
  readonly #scaler: HorizontalScaler;
  #failures = 0;
  #activeAtSecond = 0;

  constructor(options: ScaledObjectOptions) {
    this.#options = options;
    this.#scaler = new HorizontalScaler({ ...options, minReplicas: Math.max(1, options.minReplicas) });
  }

  /** To be called each second; how many replicas there are to be from now on. @param metric undefined where the query has no answer. */
  decide(replicas: number, metric: number | undefined, atSecond: number): number {
    const polls = atSecond % this.#options.pollingSeconds === 0;
    const syncs = atSecond % SYNC_SECONDS === 0;
    const polled = polls ? this.#poll(replicas, metric, atSecond) : replicas;
    return syncs && polled > 0 ? this.#scaler.decide(polled, this.#told(polled, metric), atSecond) : polled;
  }

  #poll(replicas: number, metric: number | undefined, atSecond: number): number {
    const { minReplicas, cooldownSeconds, fallback } = this.#options;
    // With replicas the autoscaler asks, and counts.
    if (replicas === 0) this.#failures = metric === undefined ? this.#failures + 1 : 0;
    const isActive = metric === undefined ? this.#hasFallenBack && (fallback?.replicas ?? 0) > 0 : metric > 0;
    if (isActive) this.#activeAtSecond = atSecond;
    if (isActive && replicas === 0) return Math.max(1, minReplicas);
    if (!isActive && metric === undefined) return replicas;
    const isIdle = !isActive && minReplicas === 0 && atSecond - this.#activeAtSecond > cooldownSeconds;
    return isIdle ? 0 : replicas;
  }

  get #hasFallenBack(): boolean {
    const { fallback } = this.#options;
    return fallback !== undefined && this.#failures > fallback.failureThreshold;
  }

  /** What the autoscaler is told. */
  #told(replicas: number, metric: number | undefined): number | undefined {
    const { fallback, averageValue } = this.#options;
    this.#failures = metric === undefined ? this.#failures + 1 : 0;
    if (metric !== undefined) return metric;
    return this.#hasFallenBack && fallback ? averageValue * Math.max(replicas, fallback.replicas) : undefined;
  }
}
