/** Tells of realtime results that came late: once a second and algorithm, with how many and how late, never a line each. */

import type { Logger } from '@stream-infer/service-kit/logger';

type Late = { results: number; worstMs: number };

const EVERY_MS = 1_000;

export class LatenessReport {
  readonly #logger: Logger;
  readonly #late = new Map<string, Late>();
  readonly #timer: NodeJS.Timeout;

  constructor(logger: Logger) {
    this.#logger = logger;
    this.#timer = setInterval(() => this.#report(), EVERY_MS);
  }

  add(stream: string, algorithm: string, lateMs: number): void {
    const key = `${stream}/${algorithm}`;
    const late = this.#late.get(key) ?? { results: 0, worstMs: 0 };
    this.#late.set(key, { results: late.results + 1, worstMs: Math.max(late.worstMs, lateMs) });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#report();
  }

  #report(): void {
    for (const [key, { results, worstMs }] of this.#late) {
      const [stream, algorithm] = key.split('/');
      this.#logger.warn({ stream, algorithm, results, worstMs: Math.round(worstMs) }, 'results are late');
    }
    this.#late.clear();
  }
}
