/**
 * What a run is to do, all of it known and checked before anything starts: the streams resolved, the algorithms that they use, the
 * outputs writable.
 */

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { AlgorithmDefinition } from '@stream-infer/core/algorithm-definition';
import type { Configuration } from '@stream-infer/core/configuration';
import { parseValue } from '@stream-infer/core/configuration-fault';
import { Fault } from '@stream-infer/core/fault';
import type { Json } from '@stream-infer/core/json';
import { resolveStreams } from '@stream-infer/core/resolve-streams';
import { type StreamDefinition, streamDefinitionSchema } from '@stream-infer/core/stream-definition';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { readConfigurationFile } from '@stream-infer/service-kit/configuration-file';
import { parseAlgorithmFlag, suspectOptions } from '../algorithm-flag.ts';
import type { RunOptions } from '../command-line.ts';
import { annotationTargets } from './annotation-target.ts';
import { checkWritable, type OutputTarget, outputTarget } from './output-target.ts';
import { checkSource, findSources } from './source-argument.ts';

export type RunPlan = {
  /** For the services: the algorithms that some stream uses and the services' own sections; no streams. */
  readonly configuration: Configuration;
  /** Relative paths of the configuration are relative to it. */
  readonly directory: string;
  readonly specs: readonly StreamSpec[];
  readonly runners: number;
  /** Where its state is kept until its end; absolute. */
  readonly data: string | undefined;
  /** Goes on with the run that is kept there. */
  readonly resume: boolean;
  readonly output: OutputTarget;
  /** Stream id → the annotated video of it. */
  readonly annotations: ReadonlyMap<string, string>;
  /** What is allowed and most likely not meant. */
  readonly warnings: readonly string[];
};

export type RunRequest = {
  readonly sources: readonly string[];
  readonly options: RunOptions;
  /** Where the command was given. */
  readonly directory: string;
  readonly stdoutIsTerminal: boolean;
};

const MOST_RUNNERS = 64;

/** Throws a fault of the command line, the configuration, a source or an output. */
export async function planRun({ sources, options, directory, stdoutIsTerminal }: RunRequest): Promise<RunPlan> {
  if (options.config !== undefined && sources.length > 0)
    throw new Fault(
      'USAGE',
      `run takes SOURCE or --config, not both: ${sources[0]} is given as well as ${options.config}`,
    );
  const runners = options.runners === undefined ? 1 : count('--runners', options.runners, MOST_RUNNERS);
  if (options.resume && options.data === undefined)
    throw new Fault('USAGE', '--resume needs --data FOLDER: where the run that it goes on with was kept');
  const algorithms = options.algorithm.map(parseAlgorithmFlag);
  const overrides = streamFlags(options);
  const asked =
    options.config === undefined
      ? await fromSources(sources, algorithms, directory)
      : await fromFile(options.config, algorithms, directory);
  const configuration = {
    ...asked.configuration,
    streams: asked.configuration.streams.map((stream) => ({ ...stream, ...overrides })),
  };
  const specs = resolveStreams(configuration, (path) => resolve(asked.directory, path));
  await Promise.all(specs.map((spec) => checkSource(spec, process.env)));
  const output = outputTarget(options, directory, stdoutIsTerminal);
  const annotations = annotationTargets(options.annotate, specs, directory);
  for (const path of [...(output.kind === 'file' ? [output.path] : []), ...annotations.values()]) {
    const overwritten = specs.find(({ source }) => source === path);
    if (overwritten)
      throw new Fault('USAGE', `${path} would be overwritten, and it is the source of stream ${overwritten.id}`);
    await checkWritable(path);
  }
  const used = new Set(specs.flatMap((spec) => spec.algorithms.map(({ definition }) => definition)));
  return {
    configuration: {
      ...configuration,
      algorithms: configuration.algorithms.filter(({ name }) => used.has(name)),
      streams: [],
    },
    directory: asked.directory,
    specs,
    runners,
    data: options.data === undefined ? undefined : resolve(directory, options.data),
    resume: options.resume,
    output,
    annotations,
    warnings: algorithms.flatMap(suspectOptions),
  };
}

type Asked = { readonly configuration: Configuration; readonly directory: string };

async function fromSources(
  sources: readonly string[],
  algorithms: readonly AlgorithmDefinition[],
  directory: string,
): Promise<Asked> {
  if (sources.length === 0)
    throw new Fault(
      'USAGE',
      'run needs a source: stream-infer run lobby.mp4 --algorithm stats=frame-stats,interval=1, or --config FILE',
    );
  if (algorithms.length === 0)
    throw new Fault('USAGE', 'run needs an algorithm: add --algorithm stats=frame-stats,interval=1, or --config FILE');
  refuseTwice(algorithms);
  const found = await findSources(sources, directory);
  const streams = found.map((source) => parseValue(streamDefinitionSchema, source, source.id));
  return { configuration: { algorithms: [...algorithms], streams }, directory };
}

async function fromFile(file: string, algorithms: readonly AlgorithmDefinition[], cwd: string): Promise<Asked> {
  const { configuration, directory } = await readConfigurationFile(file);
  if (configuration.streams.length === 0)
    throw new Fault('CONFIG_INVALID', `${file}: streams is empty, so there is nothing to run: list one, or run SOURCE`);
  refuseTwice(algorithms);
  const replaced = algorithms.map((algorithm) => anchorPaths(algorithm, cwd, directory));
  const kept = configuration.algorithms.filter(({ name }) => !replaced.some((algorithm) => algorithm.name === name));
  return { configuration: { ...configuration, algorithms: [...kept, ...replaced] }, directory };
}

export function refuseTwice(algorithms: readonly AlgorithmDefinition[]): void {
  const names = algorithms.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new Fault('CONFIG_DUPLICATE_NAME', `--algorithm ${twice} is given twice: give each a name of its own`);
}

/** Paths of flags are relative to where the command is given, those of a file to the file: where both meet, the flags' become absolute. */
export function anchorPaths(algorithm: AlgorithmDefinition, cwd: string, directory: string): AlgorithmDefinition {
  if (cwd === directory) return algorithm;
  const anchor = (value: Json): Json =>
    typeof value === 'string' && value !== '' && existsSync(resolve(cwd, value)) ? resolve(cwd, value) : value;
  return {
    ...algorithm,
    use: /^\.\.?\//.test(algorithm.use) ? resolve(cwd, algorithm.use) : algorithm.use,
    options: Object.fromEntries(Object.entries(algorithm.options).map(([key, value]) => [key, anchor(value)])),
  };
}

export type StreamFlags = Pick<
  RunOptions,
  'fps' | 'width' | 'height' | 'pixel-format' | 'position' | 'buffer' | 'video-stream' | 'mode'
>;

/** The flags that every stream takes, each by the schema of its key. */
export function streamFlags(options: StreamFlags): Partial<StreamDefinition> {
  const { shape } = streamDefinitionSchema;
  const { fps, position, mode, 'pixel-format': pixelFormat, 'video-stream': videoStream } = options;
  return {
    ...(fps !== undefined && { fps: parseValue(shape.fps, fps, '--fps') }),
    ...(position !== undefined && { position: parseValue(shape.position, position, '--position') }),
    ...(mode !== undefined && { mode: parseValue(shape.mode, mode, '--mode') }),
    ...(pixelFormat !== undefined && { pixelFormat: parseValue(shape.pixelFormat, pixelFormat, '--pixel-format') }),
    ...(options.width !== undefined && { width: parseValue(shape.width, numeral(options.width), '--width') }),
    ...(options.height !== undefined && { height: parseValue(shape.height, numeral(options.height), '--height') }),
    ...(videoStream !== undefined && {
      videoStream: parseValue(shape.videoStream, numeral(videoStream), '--video-stream'),
    }),
    ...(options.buffer !== undefined && { buffer: parseValue(shape.buffer, numeral(options.buffer), '--buffer') }),
  };
}

const numeral = (text: string): number | string => (/^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text);

export function count(flag: string, text: string, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new Fault(
      'CONFIG_INVALID',
      `${flag} is ${JSON.stringify(text)}: it must be a whole number from 1 to ${most}`,
    );
  return value;
}
