/** Which streams are to be planned for: those of the configuration, and so many cameras alike. */

import { resolve } from 'node:path';
import type { AlgorithmDefinition } from '@stream-infer/core/algorithm-definition';
import { parseValue } from '@stream-infer/core/configuration-fault';
import { Fault } from '@stream-infer/core/fault';
import { parseRational, type Rational } from '@stream-infer/core/rational';
import { resolveStreams } from '@stream-infer/core/resolve-streams';
import { streamDefinitionSchema } from '@stream-infer/core/stream-definition';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { readConfigurationFile } from '@stream-infer/service-kit/configuration-file';
import { parseAlgorithmFlag } from '../algorithm-flag.ts';
import { refuseTwice, streamFlags } from '../run/run-plan.ts';
import type { PlanArguments } from './plan-arguments.ts';
import { type StreamWork, streamWork } from './stream-work.ts';

export type PlannedStreams = {
  readonly definitions: readonly AlgorithmDefinition[];
  readonly streams: readonly StreamWork[];
  /** What of the configuration is planned otherwise than it stands. */
  readonly notes: readonly string[];
};

/** Throws a fault of the command line or the configuration. */
export async function plannedStreams({ flags, cameras, size }: PlanArguments, cwd: string): Promise<PlannedStreams> {
  const algorithms = flags.algorithm.map(parseAlgorithmFlag);
  refuseTwice(algorithms);
  const loaded = flags.config === undefined ? undefined : await readConfigurationFile(flags.config);
  const names = new Set(algorithms.map(({ name }) => name));
  const device = loaded?.configuration.algoRunner?.modelDevice;
  const definitions = [
    ...(loaded?.configuration.algorithms ?? []).filter(({ name }) => !names.has(name)),
    ...algorithms,
  ].map((one) => (device === 'gpu' ? onGpu(one) : one));
  const alike = parseValue(
    streamDefinitionSchema,
    { id: 'camera', source: 'rtsp://camera', mode: 'realtime', ...playedAs(flags) },
    '--cameras',
  );
  const inDirectory = (path: string): string => resolve(loaded?.directory ?? cwd, path);
  const specs = resolveStreams(
    { algorithms: definitions, streams: [...(loaded?.configuration.streams ?? []), ...(cameras > 0 ? [alike] : [])] },
    inDirectory,
  );
  const camera = { ...size, framesPerSecond: rateOf(flags.rate ?? '25'), codec: flags.codec ?? 'h264' };
  const live = specs.filter(({ mode }) => mode === 'realtime');
  const works = live.map((spec) => streamWork(spec, camera));
  const last = works.at(-1);
  // All cameras alike are one work, many times.
  const more = cameras > 1 && last ? Array<StreamWork>(cameras - 1).fill(last) : [];
  if (works.length === 0)
    throw new Fault(
      'CONFIG_INVALID',
      `${flags.config} lists no stream in realtime to plan for: list cameras, or give --cameras N`,
    );
  return { definitions, streams: [...works, ...more], notes: notesOf(specs) };
}

/** A model runs where its algorithm says, and else where its runner does. */
const onGpu = (definition: AlgorithmDefinition): AlgorithmDefinition =>
  definition.options.model === undefined
    ? definition
    : { ...definition, options: { device: 'gpu', ...definition.options } };

function notesOf(specs: readonly StreamSpec[]): readonly string[] {
  const offline = specs.filter(({ mode }) => mode === 'offline').length;
  const coded = specs.some(({ mode, encoding }) => mode === 'realtime' && encoding === 'jpeg');
  return [
    ...(offline > 0 ? [`left out: ${offline} of the file's streams, played offline with what is left`] : []),
    ...(coded ? ['frames that cross the bus as jpeg are planned as raw ones, which is more than they are'] : []),
  ];
}

const playedAs = ({ fps, width, height, 'pixel-format': pixelFormat }: PlanArguments['flags']) =>
  streamFlags({
    fps,
    width,
    height,
    'pixel-format': pixelFormat,
    position: undefined,
    buffer: undefined,
    'video-stream': undefined,
    mode: undefined,
  });

function rateOf(given: string): Rational {
  const rate = parseRational(given);
  if (rate && rate.num > 0) return rate;
  throw new Fault('USAGE', `--rate is ${given}: give pictures a second, such as 25 or 30000/1001`);
}
