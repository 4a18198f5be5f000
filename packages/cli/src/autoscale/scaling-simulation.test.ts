/** Autoscaling on offered load, as a cluster does it: what it must do, and what a trigger on lag fails to (D10). */

import { describe, expect, test } from 'vitest';
import { DEFAULT_RULES } from './horizontal-scaler.ts';
import { type LoadTrace, syntheticTrace } from './load-trace.ts';
import { type SimulatedSecond, type SimulationOptions, simulate, summaryOf } from './scaling-simulation.ts';

const options = (fields: Partial<SimulationOptions> = {}): SimulationOptions => ({
  ...DEFAULT_RULES,
  trigger: { kind: 'load', targetUtilization: 0.7 },
  minReplicas: 0,
  maxReplicas: 60,
  pollingSeconds: 15,
  cooldownSeconds: 300,
  fallback: { failureThreshold: 3, replicas: 2 },
  capacity: 1,
  startupSeconds: 20,
  scrapeSeconds: 15,
  blind: [],
  initialReplicas: 0,
  ...fields,
});

const steady = (load: (second: number) => number, seconds = 3_600): LoadTrace => ({
  name: 'steady',
  seconds,
  camerasAt: (second) => ({ count: load(second) * 10, perSecond: 5, costSeconds: 0.02 }),
});
const at = (seconds: readonly SimulatedSecond[], second: number): SimulatedSecond => {
  const found = seconds[second];
  if (found === undefined) throw new Error(`there is no second ${second}`);
  return found;
};
const changesOf = (seconds: readonly SimulatedSecond[], from: number): readonly SimulatedSecond[] =>
  seconds.filter(({ second, replicas }) => second >= from && replicas !== seconds[second - 1]?.replicas);

test('over a day utilisation is within 15 % of the target, and nothing is ever short', () => {
  const seconds = simulate(syntheticTrace('wave', 24), options({ initialReplicas: 9 }));
  const summary = summaryOf(seconds, 1);
  expect(summary.meanUtilization).toBeGreaterThan(0.7 * 0.85);
  expect(summary.meanUtilization).toBeLessThan(0.7 * 1.15);
  const settled = seconds.slice(600);
  const all = settled.map(({ utilization }) => utilization);
  expect(all.reduce((least, one) => Math.min(least, one), 1)).toBeGreaterThan(0.7 * 0.85);
  expect(all.reduce((most, one) => Math.max(most, one), 0)).toBeLessThan(0.7 * 1.15);
  expect(summary.shortSeconds).toBe(0);
  expect(summary.flaps).toBe(0);
});

test('five times the cameras are absorbed within three decisions', () => {
  const seconds = simulate(syntheticTrace('stampede', 20), options({ initialReplicas: 6 }));
  const changes = changesOf(seconds, 600);
  expect(changes.length).toBeLessThanOrEqual(3);
  // 20 / 0.7.
  expect(changes.at(-1)?.replicas).toBe(29);
  const absorbed = seconds.findIndex(({ second, ready, load }) => second > 600 && ready >= load);
  expect(absorbed).toBeLessThan(600 + 15 + 2 * 15 + 20 + 1);
  expect(at(seconds, 1_700).utilization).toBeCloseTo(0.69, 2);
});

test('a load that trembles moves nothing', () => {
  const trembling = steady((second) => 7 * (1 + 0.06 * Math.sin(second * 1.7)));
  expect(changesOf(simulate(trembling, options({ initialReplicas: 10 })), 1)).toEqual([]);
});

test('when the last camera is gone the last runner stops; with the first one a runner starts', () => {
  const seconds = simulate(syntheticTrace('idle', 2), options({ initialReplicas: 3 }));
  expect(at(seconds, 2_600)).toMatchObject({ replicas: 0, load: 0 });
  expect(at(seconds, 2_700 + 120).ready).toBe(3);
  expect(Math.max(...seconds.map(({ stalenessSeconds }) => stalenessSeconds))).toBeLessThan(60);
});

describe('blind', () => {
  const whileBlind = { blind: [{ fromSecond: 600, toSecond: 3_600 }] };

  test('at six runners there stay six', () => {
    const seconds = simulate(
      steady(() => 4.1),
      options({ ...whileBlind, initialReplicas: 6 }),
    );
    expect(seconds.every(({ replicas }) => replicas === 6)).toBe(true);
  });

  test('at none the fallback starts, and nothing stops it', () => {
    const seconds = simulate(
      steady((second) => (second < 600 ? 0 : 1.2)),
      options(whileBlind),
    );
    expect(at(seconds, 599).replicas).toBe(0);
    expect(at(seconds, 600 + 90).replicas).toBe(2);
    expect(at(seconds, 3_500).replicas).toBe(2);
  });

  test('a query that answers again decides at once', () => {
    const once = { blind: [{ fromSecond: 600, toSecond: 900 }] };
    const seconds = simulate(
      steady((second) => (second < 600 ? 4.1 : 8)),
      options({ ...once, initialReplicas: 6 }),
    );
    expect(at(seconds, 899).replicas).toBe(6);
    expect(at(seconds, 930).replicas).toBe(12);
  });

  test('a moment of it, as a Prometheus that starts anew, is nothing', () => {
    const moment = { blind: [{ fromSecond: 600, toSecond: 640 }] };
    expect(
      changesOf(
        simulate(
          steady(() => 4.1),
          options({ ...moment, initialReplicas: 6 }),
        ),
        1,
      ),
    ).toEqual([]);
  });
});

test('a trigger on lag never has enough runners in realtime: what waits is a window of each camera, whatever is missing', () => {
  const trace = syntheticTrace('stampede', 20);
  const lag = options({ trigger: { kind: 'lag', perReplica: 20 }, initialReplicas: 6 });
  const [load, ofLag] = [options({ initialReplicas: 6 }), lag].map((one) => simulate(trace, one));
  expect(load && summaryOf(load, 1).shortSeconds).toBeLessThan(90);
  const after = ofLag?.slice(700) ?? [];
  expect(after.every(({ load: due, ready }) => due > ready)).toBe(true);
  expect(Math.max(...after.map(({ replicas }) => replicas))).toBeLessThanOrEqual(10);
});

test('several instances in a runner are so many runners fewer', () => {
  const seconds = simulate(
    steady(() => 8.3),
    options({ capacity: 4, initialReplicas: 1 }),
  );
  expect(at(seconds, 600).replicas).toBe(3);
});
