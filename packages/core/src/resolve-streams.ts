/**
 * From the configuration to what the registry holds: every default filled in, every path absolute, so that ingest and scheduler
 * derive the same plan. What can be told to be wrong without the source is told here, before anything starts.
 */

import type { AlgorithmDefinition } from './algorithm-definition.ts';
import type { Configuration } from './configuration.ts';
import { Fault } from './fault.ts';
import { formatRational, parseRational, type Rational } from './rational.ts';
import { samplePlan } from './sample-plan.ts';
import { sourceKind } from './source-kind.ts';
import { refuseUnknownScheme } from './source-scheme.ts';
import type { StreamDefinition } from './stream-definition.ts';
import type { Mode, SourceFrom, StreamAlgorithm, StreamSpec } from './stream-spec.ts';
import { upstreamNames } from './upstream.ts';

const MAX_IN_FLIGHT = { offline: 8, realtime: 2 } as const satisfies Record<Mode, number>;
const TIMEOUT_MS = 10_000;
const MAX_ATTEMPTS = 3;

/**
 * @param resolvePath makes a path of the configuration absolute.
 * Throws WINDOW_EXCEEDS_BUFFER, INTERVAL_TOO_SHORT, CONFIG_INVALID or SIZE_ODD.
 */
export function resolveStreams(
  configuration: Configuration,
  resolvePath: (path: string) => string,
): readonly StreamSpec[] {
  return configuration.streams.map((stream) => resolveStream(stream, configuration.algorithms, resolvePath));
}

/** One stream, with the algorithms that it names among `definitions`. Throws as resolveStreams does. */
export function resolveStream(
  stream: StreamDefinition,
  definitions: readonly AlgorithmDefinition[],
  resolvePath: (path: string) => string,
): StreamSpec {
  const { id, source, sourceFrom, width, height, pixelFormat, encoding, videoStream } = stream;
  const mode = stream.mode ?? (source !== undefined && sourceKind(source) === 'file' ? 'offline' : 'realtime');
  const fps = stream.fps === undefined ? undefined : exact(stream.fps);
  if (source !== undefined) refuseUnknownScheme(source, `stream ${id}`);
  if (pixelFormat === 'yuv420p') refuseOddSize(id, { width, height });
  const algorithms = (stream.algorithms ?? definitions.map(({ name }) => name)).map((entry) =>
    resolveAlgorithm(typeof entry === 'string' ? { name: entry } : entry, definitions, mode),
  );
  const spec: StreamSpec = {
    id,
    ...(source !== undefined && { source: sourceKind(source) === 'file' ? resolvePath(source) : source }),
    ...(sourceFrom !== undefined && { sourceFrom: resolveSourceFrom(sourceFrom, resolvePath) }),
    mode,
    ...(fps !== undefined && { fps: formatRational(fps) }),
    ...(width !== undefined && { width }),
    ...(height !== undefined && { height }),
    pixelFormat,
    encoding,
    position: formatRational(exact(stream.position)),
    ...(stream.buffer !== 'auto' && { buffer: stream.buffer }),
    videoStream,
    algorithms,
  };
  refuseImpossible(spec);
  return spec;
}

type Listed = Exclude<NonNullable<StreamDefinition['algorithms']>[number], string>;

function resolveAlgorithm(listed: Listed, definitions: readonly AlgorithmDefinition[], mode: Mode): StreamAlgorithm {
  const definition = definitions.find(({ name }) => name === listed.name);
  // The stream's own interval, or `after`, stands in place of the definition's, whichever either is.
  const own = listed.interval ?? listed.intervalFrames ?? listed.after;
  const paced = own === undefined ? definition : listed;
  const after = upstreamNames(paced?.after);
  const maxStalenessMs = listed.maxStalenessMs ?? definition?.maxStalenessMs;
  return {
    name: listed.as ?? listed.name,
    definition: listed.name,
    frameCount: listed.frameCount ?? definition?.frameCount ?? 1,
    frameStep: listed.frameStep ?? definition?.frameStep ?? 0,
    ...(after !== undefined && { after }),
    ...(paced?.interval !== undefined && { interval: paced.interval }),
    ...(after === undefined && paced?.interval === undefined && { intervalFrames: paced?.intervalFrames ?? 1 }),
    timeoutMs: listed.timeoutMs ?? definition?.timeoutMs ?? TIMEOUT_MS,
    maxInFlight: listed.maxInFlight ?? definition?.maxInFlight ?? MAX_IN_FLIGHT[mode],
    maxAttempts: listed.maxAttempts ?? definition?.maxAttempts ?? MAX_ATTEMPTS,
    ...(maxStalenessMs !== undefined && { maxStalenessMs }),
  };
}

const resolveSourceFrom = (from: SourceFrom, resolvePath: (path: string) => string): SourceFrom =>
  'file' in from ? { file: resolvePath(from.file) } : from;

/** A rate, interval or position that the schema has passed. */
function exact(text: string): Rational {
  const parsed = parseRational(text);
  if (!parsed) throw new Fault('INTERNAL', `${text} passed the schema and is no number`);
  return parsed;
}

/** No source is as fast: what a plan at this rate refuses, no source could mend. */
const FASTEST_FPS = '1000000';

/** Throws WINDOW_EXCEEDS_BUFFER, INTERVAL_TOO_SHORT or CONFIG_INVALID where that can be told without the source. */
function refuseImpossible(spec: StreamSpec): void {
  samplePlan(spec, {
    width: 1,
    height: 1,
    fps: spec.fps ?? FASTEST_FPS,
    sampling: 'index',
    timeBase: '1/1000',
    live: false,
    codec: '',
  });
}

function refuseOddSize(id: string, sides: { width: number | undefined; height: number | undefined }): void {
  for (const [side, pixels] of Object.entries(sides)) {
    if (pixels === undefined || pixels % 2 === 0) continue;
    throw new Fault(
      'SIZE_ODD',
      `stream ${id}: ${side} is ${pixels}, and yuv420p needs an even one: take ${pixels - 1 || 2} or ${pixels + 1}`,
    );
  }
}
