/** What an algorithm told of the stages of the batch that it runs: the sum of each, as it tells of a stage for each window or of all at once. */

import type { Stage } from '@stream-infer/algorithm';
import type { StageTimes } from './worker-messages.ts';

const STAGES: ReadonlySet<unknown> = new Set<Stage>(['preprocess', 'infer', 'postprocess']);

export class StageClock {
  #us: Partial<Record<Stage, number>> = {};

  /** An author's figures: what is no stage or no duration is left out. */
  add(stage: Stage, durationMs: number): void {
    if (!STAGES.has(stage) || !(durationMs >= 0 && durationMs < Number.POSITIVE_INFINITY)) return;
    this.#us[stage] = (this.#us[stage] ?? 0) + durationMs * 1000;
  }

  reset(): void {
    this.#us = {};
  }

  get times(): StageTimes {
    return { ...this.#us };
  }
}
