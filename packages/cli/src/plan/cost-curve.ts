/**
 * What the pipeline costs on a machine, as `make bench-plan` measures it there: of each role what it takes of a core and of memory, by what
 * drives it (stream-work.ts). Everything is linear, so that a plan is a sum.
 */

import { Fault } from '@stream-infer/core/fault';

export const PLANNED_ROLES = ['ingest', 'ffmpeg', 'nats-server', 'scheduler', 'algo-runner', 'collector'] as const;
export type PlannedRole = (typeof PLANNED_ROLES)[number];

/** What there is of each driver: so many a second, or so many at any moment. */
export type Drivers = Readonly<Record<string, number>>;

/** By role and driver. */
export type Prices = Readonly<Record<PlannedRole, Drivers>>;

export type CostCurve = {
  /** What it was measured on and with. */
  readonly machine: string;
  /** Seconds of a core. */
  readonly cores: Prices;
  /** MiB. */
  readonly memory: Prices;
  /** The most of it that was measured; what is planned beyond is extrapolated. */
  readonly measuredUpTo: { readonly streams: number; readonly busMegabytesPerSecond: number };
};

/** A driver without a price costs nothing. */
export const cost = (drivers: Drivers, prices: Drivers): number =>
  Object.entries(drivers).reduce((sum, [driver, amount]) => sum + amount * (prices[driver] ?? 0), 0);

/** Codecs whose decoding was measured. */
export const codecsOf = ({ cores }: CostCurve): readonly string[] =>
  Object.keys(cores.ffmpeg).flatMap((driver) => /^(.+) megapixels$/.exec(driver)?.[1] ?? []);

/** @param name of the file, for messages. Throws CONFIG_INVALID. */
export function parseCurve(name: string, text: string): CostCurve {
  const curve = parse(name, text);
  if (isCurve(curve)) return curve;
  throw new Fault(
    'CONFIG_INVALID',
    `${name} is no curve of costs: give a file that make bench-plan wrote, with machine, cores and memory of ${PLANNED_ROLES.join(', ')}, and measuredUpTo`,
  );
}

function parse(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Fault('CONFIG_INVALID', `${name} is no JSON: give a file that make bench-plan wrote`);
  }
}

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const isAmounts = (value: unknown): value is Drivers =>
  isObject(value) && Object.values(value).every((one) => typeof one === 'number' && one >= 0 && Number.isFinite(one));
const isPrices = (value: unknown): value is Prices =>
  isObject(value) && PLANNED_ROLES.every((role) => isAmounts(value[role]));

function isCurve(value: unknown): value is CostCurve {
  if (!isObject(value) || typeof value.machine !== 'string') return false;
  const { cores, memory, measuredUpTo } = value;
  if (!isPrices(cores) || !isPrices(memory) || !isAmounts(measuredUpTo)) return false;
  return 'streams' in measuredUpTo && 'busMegabytesPerSecond' in measuredUpTo;
}
