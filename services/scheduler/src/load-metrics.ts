/** What autoscaling asks for (docs/autoscaling.md). Every configured algorithm has its figures at all times, so that none means blind. */

import type { AlgorithmLoad } from '@stream-infer/core/offered-load';
import { Gauge, type Registry } from 'prom-client';

export type ShownLoad = AlgorithmLoad & {
  readonly algorithm: string;
  /** Instances in a runner. */
  readonly capacity: number;
};

export function createLoadMetrics(registry: Registry, loads: () => readonly ShownLoad[]): void {
  const registers = [registry];
  new Gauge({
    name: 'stream_infer_offered_load',
    help: 'Instances of an algorithm that the work due here would keep busy, whether they are there or not; the sum over schedulers is that of all.',
    labelNames: ['algorithm', 'mode'],
    registers,
    collect() {
      this.reset();
      for (const { algorithm, load } of loads())
        for (const [mode, value] of Object.entries(load)) this.set({ algorithm, mode }, value);
    },
  });
  new Gauge({
    name: 'stream_infer_due_windows_per_second',
    help: 'Windows of realtime streams that become due here in a second.',
    labelNames: ['algorithm'],
    registers,
    collect() {
      this.reset();
      for (const { algorithm, duePerSecond } of loads()) this.set({ algorithm }, duePerSecond);
    },
  });
  new Gauge({
    name: 'stream_infer_window_cost_seconds',
    help: 'Time of an instance that a window is reckoned to cost, in the fullest batches that were achieved; basis is measured, or expected where no runner has told yet.',
    labelNames: ['algorithm', 'basis'],
    registers,
    collect() {
      this.reset();
      for (const { algorithm, costSeconds, costBasis } of loads())
        this.set({ algorithm, basis: costBasis }, costSeconds);
    },
  });
  new Gauge({
    name: 'stream_infer_runner_capacity',
    help: 'Instances of an algorithm in a runner: of the runners that take work, else as configured.',
    labelNames: ['algorithm'],
    registers,
    collect() {
      this.reset();
      for (const { algorithm, capacity } of loads()) this.set({ algorithm }, capacity);
    },
  });
}
