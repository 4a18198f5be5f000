/** The subcommands: which there are, what each takes, what `--help` says. */

import { Fault } from '@stream-infer/core/fault';
import { nearestKey } from '@stream-infer/core/nearest-key';
import {
  BUS,
  type BusCommand,
  parseBusArguments,
  parseTokenArguments,
  TOKEN,
  type TokenCommand,
} from './access-arguments.ts';
import { AUTOSCALE, type AutoscaleArguments, parseAutoscaleArguments } from './autoscale/autoscale-arguments.ts';
import { HELP, JSON_OPTION, STREAM_FLAGS } from './common-options.ts';
import {
  DEAD_LETTERS_DETAILS,
  DEAD_LETTERS_OPTIONS,
  DEAD_LETTERS_USAGE,
  type DeadLettersAction,
  parseDeadLettersArguments,
} from './dead-letters/dead-letters-arguments.ts';
import { FETCH_DETAILS, FETCH_OPTIONS, type FetchArguments, parseFetchArguments } from './fetch-arguments.ts';
import { describeOptions, type OptionTable, type OptionValues, parseOptions, type Subcommand } from './option-table.ts';
import { PLAN, type PlanArguments, parsePlanArguments } from './plan/plan-arguments.ts';
import {
  parseStreamsArguments,
  STREAMS_DETAILS,
  STREAMS_OPTIONS,
  type StreamsAction,
  streamsHelp,
} from './streams/streams-arguments.ts';

export const RUN_OPTIONS = {
  config: { type: 'string', value: 'FILE', description: 'Streams and algorithms from a YAML file, instead of SOURCE.' },
  algorithm: {
    type: 'string',
    value: 'NAME=USE[,key=value…]',
    multiple: true,
    description:
      'An algorithm: a built-in (onnx-detector, onnx, frame-stats, byte-track, crop-onnx) or the path of a module. Keys of the schedule (frameCount, frameStep, interval, intervalFrames, after, timeoutMs, maxInFlight, maxStalenessMs, maxAttempts, state, concurrency, maxBatch, maxDelayMs) set it; all others are options of the algorithm, nested by dots (nms.iou=0.5, inputs.0.name=x), lists in brackets (labels=[cat,dog]). May be given several times.',
  },
  ...STREAM_FLAGS,
  runners: { type: 'string', value: 'N', description: 'Runner processes that share the work. Default: 1.' },
  output: {
    type: 'string',
    value: 'FILE|-',
    description:
      'Where results go: {stream: {algorithm: {seconds: data}}} as JSON at the end; where FILE ends in .ndjson whole records, one a line, as they come; - is standard output. Default: standard output where that is no terminal and --json is not given.',
  },
  format: {
    type: 'string',
    value: 'json|ndjson',
    description: 'Which of the two, whatever FILE is called. Default: by its ending; json on standard output.',
  },
  annotate: {
    type: 'string',
    value: 'FILE.mp4',
    description:
      'The video with boxes, labels and scores drawn on it, each until the next result; those of a tracker, with its numbers, in the place of those that it follows. For files played offline; several streams get FILE-<stream>.mp4 each. With --position it begins at the first frame that has a result.',
  },
  data: {
    type: 'string',
    value: 'FOLDER',
    description: 'Where the state of the run is kept until its end, so that --resume can go on with it.',
  },
  resume: {
    type: 'boolean',
    description:
      'Go on with the run in --data, which was killed or whose machine went down: the same sources and algorithms.',
  },
  strict: { type: 'boolean', description: 'Exit with 1 where anything failed: an invocation, or part of a source.' },
  json: {
    type: 'boolean',
    description:
      'Print the summary of the run as one JSON object on standard output, in place of the results: give --output FILE to have these.',
  },
  ...HELP,
} as const satisfies OptionTable;

export const UP_OPTIONS = {
  config: {
    type: 'string',
    value: 'FILE',
    description:
      'Algorithms, and the streams to begin with, from a YAML file. Streams that an earlier start had from it and that it does not list any more are removed.',
  },
  algorithm: {
    ...RUN_OPTIONS.algorithm,
    description: 'An algorithm that streams may run, as for run. May be given several times.',
  },
  runners: RUN_OPTIONS.runners,
  http: {
    type: 'string',
    value: 'PORT',
    description: 'Port of the API on loopback; 0 takes a free one. Default: 8080.',
  },
  store: { type: 'string', value: 'PATH', description: 'The SQLite file of results. Default: in the data folder.' },
  data: {
    type: 'string',
    value: 'FOLDER',
    description: 'Where streams, their state and results are kept across starts. Without it they end with the command.',
  },
  ...JSON_OPTION,
  ...HELP,
} as const satisfies OptionTable;

const PLAIN_OPTIONS = { ...JSON_OPTION, ...HELP } as const satisfies OptionTable;

export type RunOptions = OptionValues<typeof RUN_OPTIONS>;
export type UpOptions = OptionValues<typeof UP_OPTIONS>;

export type Command =
  | { readonly name: 'help'; readonly text: string }
  | { readonly name: 'run'; readonly sources: readonly string[]; readonly options: RunOptions }
  | { readonly name: 'up'; readonly options: UpOptions }
  | ({ readonly name: 'streams' } & StreamsAction)
  | { readonly name: 'probe' | 'validate'; readonly argument: string; readonly json: boolean }
  | BusCommand
  | TokenCommand
  | ({ readonly name: 'plan' } & PlanArguments)
  | ({ readonly name: 'autoscale' } & AutoscaleArguments)
  | ({ readonly name: 'dead-letters' } & DeadLettersAction)
  | ({ readonly name: 'fetch' } & FetchArguments)
  | { readonly name: 'doctor' | 'version'; readonly json: boolean };

const SUBCOMMANDS = {
  run: {
    usage: 'run SOURCE… | --config FILE  [OPTIONS]',
    summary: 'play sources, run algorithms on them, give results by time',
    details: `SOURCE is a video file, a folder or a quoted glob of video files (a stream each), a device such as
/dev/video0, or a URL. A file is played offline, everything else in realtime, unless --mode says so.
With --config the other options apply to every stream of the file.

  stream-infer run lobby.mp4 --algorithm stats=frame-stats,interval=1
  stream-infer run 'clips/*.mp4' --algorithm faces=onnx-detector,model=faces.onnx,family=ultraface --output faces.json
  stream-infer run --config cameras.yaml --output results.ndjson

Exit status: 0 done; 1 done, and an algorithm never succeeded, or anything failed under --strict;
2 usage or configuration; 3 source; 4 environment; 130 or 143 interrupted, with what was computed written;
141 nobody reads the records on standard output any more.`,
    options: RUN_OPTIONS,
  },
  up: {
    usage: 'up --config FILE | --algorithm … [OPTIONS]',
    summary: 'keep the services up; streams come and go over its API',
    details: `  stream-infer up --config cameras.yaml --data /var/lib/stream-infer
  stream-infer up --algorithm stats=frame-stats,interval=1 --http 8081

With --data everything may be killed and started again: every stream is back by itself.
Exit status: 0 stopped by Ctrl-C or SIGTERM; 130 or 143 by these before it was up; 2 usage or configuration;
4 environment, or a part of it died.`,
    options: UP_OPTIONS,
  },
  streams: {
    usage: 'streams add|apply|list|show|update|remove|watch … [OPTIONS]',
    summary: 'add, change and remove the streams of a system that is up',
    details: STREAMS_DETAILS,
    options: STREAMS_OPTIONS,
  },
  probe: {
    usage: 'probe SOURCE|MODEL.onnx [OPTIONS]',
    summary: 'tell what a source or a model is, and how it would be played or read',
    details: '  stream-infer probe lobby.mp4\n  stream-infer probe faces.onnx',
    options: PLAIN_OPTIONS,
  },
  validate: {
    usage: 'validate FILE [OPTIONS]',
    summary: 'check a configuration file without running it',
    details: `  stream-infer validate cameras.yaml

Modules of algorithms are loaded and their classes constructed, as a run does; models are not, and no init is called.`,
    options: PLAIN_OPTIONS,
  },
  'dead-letters': {
    usage: DEAD_LETTERS_USAGE,
    summary: 'tell what failed for good on a system that runs, and try it again',
    details: DEAD_LETTERS_DETAILS,
    options: DEAD_LETTERS_OPTIONS,
  },
  fetch: {
    usage: 'fetch URL FILE --sha256 HEX [OPTIONS]',
    summary: 'bring a model to where it is wanted, unless it is there',
    details: FETCH_DETAILS,
    options: FETCH_OPTIONS,
  },
  plan: PLAN,
  autoscale: AUTOSCALE,
  bus: BUS,
  token: TOKEN,
  doctor: {
    usage: 'doctor [OPTIONS]',
    summary: 'check that this machine has what runs need',
    details: 'Exit status: 0 all is well; 4 something is missing, and what to do about it is said.',
    options: PLAIN_OPTIONS,
  },
  version: { usage: 'version [OPTIONS]', summary: 'print the version', details: '', options: PLAIN_OPTIONS },
} as const satisfies Record<string, Subcommand>;

type SubcommandName = keyof typeof SUBCOMMANDS;

const isSubcommand = (name: string): name is SubcommandName => Object.hasOwn(SUBCOMMANDS, name);

/** Throws USAGE. */
export function parseCommandLine(args: readonly string[]): Command {
  const [first, ...rest] = args;
  if (first === undefined || first === '--help' || first === '-h') return { name: 'help', text: generalHelp() };
  if (first === '--version') return { name: 'version', json: false };
  if (first === 'help')
    return { name: 'help', text: rest[0] === undefined ? generalHelp() : helpOf(subcommand(rest[0]), rest[1]) };
  const name = subcommand(first);
  if (rest.includes('--help') || rest.includes('-h')) return { name: 'help', text: helpOf(name, rest[0]) };
  switch (name) {
    case 'run': {
      const { values, positionals } = parseOptions(rest, RUN_OPTIONS);
      return { name, sources: positionals, options: values };
    }
    case 'up': {
      const { values, positionals } = parseOptions(rest, UP_OPTIONS);
      if (positionals.length > 0) throw new Fault('USAGE', `up takes no argument, and ${positionals[0]} is given`);
      return { name, options: values };
    }
    case 'streams':
      return { name, ...parseStreamsArguments(rest) };
    case 'probe':
    case 'validate': {
      const { values, positionals } = parseOptions(rest, PLAIN_OPTIONS);
      const [argument] = positionals;
      if (argument === undefined || positionals.length > 1)
        throw new Fault('USAGE', `${name} takes one argument: stream-infer ${SUBCOMMANDS[name].usage}`);
      return { name, argument, json: values.json };
    }
    case 'dead-letters':
      return { name, ...parseDeadLettersArguments(rest) };
    case 'plan':
      return { name, ...parsePlanArguments(rest) };
    case 'autoscale':
      return { name, ...parseAutoscaleArguments(rest) };
    case 'bus':
      return parseBusArguments(rest);
    case 'token':
      return parseTokenArguments(rest);
    case 'fetch':
      return { name, ...parseFetchArguments(rest) };
    case 'doctor':
    case 'version': {
      const { values, positionals } = parseOptions(rest, PLAIN_OPTIONS);
      if (positionals.length > 0) throw new Fault('USAGE', `${name} takes no argument, and ${positionals[0]} is given`);
      return { name, json: values.json };
    }
  }
}

function subcommand(name: string): SubcommandName {
  if (isSubcommand(name)) return name;
  const known = Object.keys(SUBCOMMANDS);
  const nearest = nearestKey(name, known);
  const advice = nearest ? `did you mean stream-infer ${nearest}?` : `known are ${known.join(', ')}`;
  throw new Fault('USAGE', `there is no command ${name}: ${advice}`);
}

const generalHelp = (): string => `stream-infer: video in, algorithms over windows of its frames, time-keyed results out

${Object.values(SUBCOMMANDS)
  .map(({ usage, summary }) => `  stream-infer ${usage}\n      ${summary}`)
  .join('\n')}

stream-infer COMMAND --help says more about one.
`;

/** @param word that follows the command: an action of streams has a page of its own. */
function helpOf(name: SubcommandName, word: string | undefined): string {
  const action = name === 'streams' ? streamsHelp(word) : undefined;
  const { usage, summary, details, options } = action ?? SUBCOMMANDS[name];
  return [
    `stream-infer ${usage}`,
    `${summary[0]?.toUpperCase()}${summary.slice(1)}.`,
    details,
    describeOptions(options),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}
