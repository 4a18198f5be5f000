/** What cameras ask for over a time: made up, or recorded from a system that runs. */

import { Fault } from '@stream-infer/core/fault';
import type { Cameras } from './runner-fleet.ts';

export type LoadTrace = {
  readonly name: string;
  readonly seconds: number;
  camerasAt(second: number): Cameras;
};

export const SYNTHETIC_TRACES = ['step', 'wave', 'stampede', 'idle'] as const;
export type SyntheticTrace = (typeof SYNTHETIC_TRACES)[number];

/** A camera that a tenth of a second of an instance is worth each second. */
const CAMERA: Pick<Cameras, 'perSecond' | 'costSeconds'> = { perSecond: 5, costSeconds: 0.02 };

/** @param peak instances that the most cameras of the trace keep busy. */
export function syntheticTrace(name: SyntheticTrace, peak: number): LoadTrace {
  const most = Math.round(peak / (CAMERA.perSecond * CAMERA.costSeconds));
  const { seconds, part } = SHAPES[name];
  return { name, seconds, camerasAt: (second) => ({ ...CAMERA, count: Math.round(most * part(second)) }) };
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Which part of the cameras there is at a second. */
const SHAPES: Readonly<Record<SyntheticTrace, { readonly seconds: number; part(second: number): number }>> = {
  step: { seconds: HOUR, part: (second) => (second < 10 * MINUTE ? 0.25 : second < 35 * MINUTE ? 1 : 0.5) },
  wave: { seconds: DAY, part: (second) => 0.625 - 0.375 * Math.cos((2 * Math.PI * second) / DAY) },
  stampede: { seconds: HOUR / 2, part: (second) => (second < 10 * MINUTE ? 0.2 : 1) },
  idle: { seconds: HOUR, part: (second) => (second < 10 * MINUTE || second >= 45 * MINUTE ? 1 : 0) },
};

/** @param text a recorded trace, or what Prometheus answers to query_range of the offered load. Throws CONFIG_INVALID. */
export function recordedTrace(name: string, text: string): LoadTrace {
  const json = parse(name, text);
  const points = pointsOf(json) ?? pointsOfRange(json);
  if (points === undefined)
    throw new Fault(
      'CONFIG_INVALID',
      `${name} is no trace: give {"perSecond", "costSeconds", "points": [{"second", "load"}, …]}, or what Prometheus answers to query_range of sum(stream_infer_offered_load{algorithm="…"})`,
    );
  const { perSecond, costSeconds } = { ...CAMERA, ...camerasOf(json) };
  return {
    name,
    seconds: Math.ceil(points.at(-1)?.second ?? 0),
    camerasAt(second) {
      const { load } = points.findLast((point) => point.second <= second) ?? { load: 0 };
      return { perSecond, costSeconds, count: load / (perSecond * costSeconds) };
    },
  };
}

function parse(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Fault('CONFIG_INVALID', `${name} is no JSON: give a recorded trace`);
  }
}

type Point = { readonly second: number; readonly load: number };
type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const isAmount = (value: unknown): value is number => typeof value === 'number' && value >= 0 && Number.isFinite(value);
const isPoint = (value: unknown): value is Point => isObject(value) && isAmount(value.second) && isAmount(value.load);

function pointsOf(json: unknown): readonly Point[] | undefined {
  const points = isObject(json) ? json.points : undefined;
  return Array.isArray(points) && points.length > 1 && points.every(isPoint) ? points : undefined;
}

/** Of what Prometheus answers to query_range: [seconds, "value"] pairs of its first series. */
function pointsOfRange(json: unknown): readonly Point[] | undefined {
  const data = isObject(json) && isObject(json.data) ? json.data : {};
  const series: unknown = Array.isArray(data.result) ? data.result[0] : undefined;
  const values = isObject(series) && Array.isArray(series.values) ? (series.values as readonly unknown[]) : [];
  const pairs = values.filter((pair) => Array.isArray(pair)).map(([at, value]) => [Number(at), Number(value)] as const);
  const [first] = pairs;
  const points = pairs.map(([at, load]) => ({ second: at - (first?.[0] ?? 0), load }));
  return points.length > 1 && points.length === values.length && points.every(isPoint) ? points : undefined;
}

function camerasOf(json: unknown): Partial<typeof CAMERA> {
  if (!isObject(json)) return {};
  const given = Object.entries(CAMERA).flatMap(([key]) =>
    isAmount(json[key]) && json[key] > 0 ? [[key, json[key]]] : [],
  );
  return Object.fromEntries(given) as Partial<typeof CAMERA>;
}
