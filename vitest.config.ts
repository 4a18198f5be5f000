import { defineConfig } from 'vitest/config';
import { TestSummary } from './scripts/test-summary.ts';

// Seven projects: `unit` is pure and quick and needs no server; then `system` starts real servers and processes, two files
// at a time; `chaos` does too, and asserts times or kills what it started. `make test` leaves it out, as it does `images`, which
// needs images and an engine to run them, `chart` and `k8s`, which need Go, for Helm and the servers of Kubernetes, and `monitoring`, which takes minutes. The second reporter lists the skipped tests with
// their reasons.
export default defineConfig({
  test: {
    reporters: ['default', new TestSummary()],
    projects: [
      {
        test: {
          name: 'unit',
          // Pure modules share nothing: one module graph for all of them makes it seconds.
          isolate: false,
          include: [
            'packages/*/src/**/*.test.ts',
            'services/*/src/**/*.test.ts',
            'algorithms/src/**/*.test.ts',
            'bench/**/*.test.ts',
            'examples/**/*.test.ts',
            'scripts/**/*.test.ts',
          ],
          sequence: { groupOrder: 0 },
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/**/*.test.ts'],
          exclude: ['test/chaos/**', 'test/chart/**', 'test/images/**', 'test/k8s/**', 'test/monitoring/**'],
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 60_000,
          // Most of their time is waiting.
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'chart',
          include: ['test/chart/**/*.test.ts'],
          sequence: { groupOrder: 2 },
          testTimeout: 240_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'k8s',
          include: ['test/k8s/**/*.test.ts'],
          sequence: { groupOrder: 3 },
          testTimeout: 240_000,
          hookTimeout: 240_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'chaos',
          include: ['test/chaos/**/*.test.ts'],
          sequence: { groupOrder: 2 },
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'monitoring',
          include: ['test/monitoring/**/*.test.ts'],
          sequence: { groupOrder: 3 },
          testTimeout: 120_000,
          hookTimeout: 240_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'images',
          include: ['test/images/**/*.test.ts'],
          sequence: { groupOrder: 3 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
