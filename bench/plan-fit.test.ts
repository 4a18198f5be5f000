import { algorithmDefinitionSchema } from '@stream-infer/core/algorithm-definition';
import { expect, test } from 'vitest';
import { PLANNED_ROLES, type PlannedRole } from '../packages/cli/src/plan/cost-curve.ts';
import { planDeployment } from '../packages/cli/src/plan/deployment-plan.ts';
import type { StreamWork } from '../packages/cli/src/plan/stream-work.ts';
import { compared } from './plan-document.ts';
import { answeredShare, fitCurve, type Played } from './plan-fit.ts';

const DEFINITION = algorithmDefinitionSchema.parse({ name: 'a', use: 'frame-stats' });
const COST_MS = 8;

const camera = (fps: number, megapixels: number, frameMegabytes: number): StreamWork => ({
  codec: 'h264',
  decodedFrames: 25,
  megapixels,
  publishedFrames: fps,
  frameMegabytes,
  bufferMegabytes: 30 * frameMegabytes,
  lanes: [{ definition: 'a', invocations: fps, fetchedFrames: { apart: fps, together: fps }, maxInFlight: 2 }],
});

const each = (values: Partial<Record<PlannedRole, number>>, otherwise: number) =>
  Object.fromEntries(PLANNED_ROLES.map((role) => [role, values[role] ?? otherwise])) as Record<PlannedRole, number>;

/** What the pipeline would take if it cost so much. @param reached part of what is due that the machine came to. */
function played(streams: readonly StreamWork[], reached = 1): Played {
  const sum = (of: (stream: StreamWork) => number): number => streams.reduce((total, one) => total + of(one), 0);
  const frames = reached * sum(({ publishedFrames }) => publishedFrames);
  const megabytes = reached * sum((one) => one.publishedFrames * one.frameMegabytes);
  const decoded = reached * sum(({ decodedFrames }) => decodedFrames);
  const megapixels = reached * sum((one) => one.decodedFrames * one.megapixels);
  return {
    streams,
    definitions: [DEFINITION],
    measured: {
      cores: each(
        {
          ffmpeg: 0.0005 * decoded + 0.001 * megapixels,
          ingest: 0.01 + 0.0004 * frames + 0.001 * megabytes,
          'algo-runner': 0.01 + (COST_MS / 1_000) * frames,
        },
        0.01,
      ),
      memoryMiB: each({ 'nats-server': 20 + 1.2 * sum(({ bufferMegabytes }) => bufferMegabytes) }, 100),
      bus: { inMegabytesPerSecond: megabytes, outMegabytesPerSecond: megabytes },
      decoded,
      published: frames,
      answered: new Map([['a', frames]]),
      costMs: new Map([['a', COST_MS]]),
    },
  };
}

const SMALL = camera(1, 0.25, 0.05);
const LARGE = camera(2, 2, 1);
const FAST = camera(20, 0.25, 0.02);
const FITTED = [[], [SMALL], [SMALL, SMALL, LARGE], [LARGE, LARGE], [FAST], [FAST, FAST, LARGE]] as const;

test('a curve that is fitted to some scenarios tells what another takes', () => {
  const curve = fitCurve(
    'made up',
    FITTED.map((streams) => played(streams)),
  );
  expect(curve.cores.ffmpeg['h264 frames']).toBeCloseTo(0.0005, 4);
  expect(curve.cores['algo-runner'].processes).toBeCloseTo(0.01, 3);
  expect(curve.measuredUpTo.streams).toBe(3);
  const streams = [LARGE, FAST, SMALL, SMALL, camera(5, 0.9, 0.3)];
  const { measured } = played(streams);
  const definitions = [{ ...DEFINITION, expectedMs: COST_MS }];
  const plan = planDeployment({ curve, streams, definitions, targetUtilization: 0.7, streamsPerIngest: 20 });
  for (const { what, planned, measured: found, held } of compared(plan, measured)) {
    expect(Math.abs(planned / found - 1), what).toBeLessThan(0.02);
    expect(held).toBe(true);
  }
});

test('a machine that is too busy to play everything gives the same prices', () => {
  const busy = fitCurve(
    'made up',
    FITTED.map((streams) => played(streams, 0.6)),
  );
  expect(busy.cores.ffmpeg['h264 megapixels']).toBeCloseTo(0.001, 4);
  expect(answeredShare(played([FAST], 0.6))).toBeCloseTo(0.6);
});

test('a plan that is off by more than 15 % is not held', () => {
  const curve = fitCurve(
    'made up',
    FITTED.map((streams) => played(streams)),
  );
  const { measured } = played([LARGE]);
  const request = { curve, streams: [LARGE], targetUtilization: 0.7, streamsPerIngest: 20 };
  const plan = planDeployment({ ...request, definitions: [{ ...DEFINITION, expectedMs: 10 * COST_MS }] });
  expect(compared(plan, measured).map(({ what, held }) => [what, held])).toEqual([
    ['cores', false],
    ['bus, in and out', true],
    ['memory', true],
  ]);
});
