/** The subcommands: which there are, what each takes, what `--help` says. */

import { Fault } from '@stream-infer/core/fault';
import { nearestKey } from '@stream-infer/core/nearest-key';
import { describeOptions, type OptionTable, type OptionValues, parseOptions } from './option-table.ts';

const HELP = { help: { type: 'boolean', description: 'Show this.' } } as const satisfies OptionTable;
const JSON_OPTION = {
  json: { type: 'boolean', description: 'Print one JSON object on standard output instead of text.' },
} as const satisfies OptionTable;

export const RUN_OPTIONS = {
  config: { type: 'string', value: 'FILE', description: 'Streams and algorithms from a YAML file, instead of SOURCE.' },
  algorithm: {
    type: 'string',
    value: 'NAME=USE[,key=value…]',
    multiple: true,
    description:
      'An algorithm: a built-in (onnx-detector, onnx, frame-stats, byte-track, crop-onnx) or the path of a module. Keys of the schedule (frameCount, frameStep, interval, intervalFrames, after, timeoutMs, maxInFlight, state, concurrency) set it; all others are options of the algorithm, nested by dots (nms.iou=0.5). May be given several times.',
  },
  fps: { type: 'string', value: 'N', description: "Play rate, such as 10 or 30000/1001. Default: the source's." },
  width: { type: 'string', value: 'W', description: "Width of the frames in pixels. Default: the source's." },
  height: { type: 'string', value: 'H', description: "Height of the frames in pixels. Default: the source's." },
  'pixel-format': { type: 'string', value: 'F', description: 'bgr24 (default), rgb24, gray or yuv420p.' },
  position: { type: 'string', value: 'S', description: 'Where in a file to start, in seconds.' },
  buffer: { type: 'string', value: 'N', description: 'Played frames that a window may span, or auto (default).' },
  mode: {
    type: 'string',
    value: 'offline|realtime',
    description:
      'offline: as fast as possible, nothing lost. realtime: at the natural rate. Default: offline for files.',
  },
  runners: { type: 'string', value: 'N', description: 'Runner processes that share the work. Default: 1.' },
  output: {
    type: 'string',
    value: 'FILE|-',
    description:
      'Where results go: {stream: {algorithm: {seconds: data}}} as JSON; whole records, one a line, where FILE ends in .ndjson; - is standard output. Default: standard output where that is no terminal.',
  },
  annotate: {
    type: 'string',
    value: 'FILE.mp4',
    description:
      'The video with boxes, labels and scores drawn on it, each until the next result. For files played offline; several streams get FILE-<stream>.mp4 each. With --position it begins at the first frame that has a result.',
  },
  strict: { type: 'boolean', description: 'Exit with 1 where anything failed: an invocation, or part of a source.' },
  ...JSON_OPTION,
  ...HELP,
} as const satisfies OptionTable;

const PLAIN_OPTIONS = { ...JSON_OPTION, ...HELP } as const satisfies OptionTable;

export type RunOptions = OptionValues<typeof RUN_OPTIONS>;

export type Command =
  | { readonly name: 'help'; readonly text: string }
  | { readonly name: 'run'; readonly sources: readonly string[]; readonly options: RunOptions }
  | { readonly name: 'probe' | 'validate'; readonly argument: string; readonly json: boolean }
  | { readonly name: 'doctor' | 'version'; readonly json: boolean };

type Subcommand = {
  readonly usage: string;
  readonly summary: string;
  readonly details: string;
  readonly options: OptionTable;
};

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
2 usage or configuration; 3 source; 4 environment; 130 or 143 interrupted, with what was computed written.`,
    options: RUN_OPTIONS,
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
    details: '  stream-infer validate cameras.yaml',
    options: PLAIN_OPTIONS,
  },
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
    return { name: 'help', text: rest[0] === undefined ? generalHelp() : helpOf(subcommand(rest[0])) };
  const name = subcommand(first);
  if (rest.includes('--help') || rest.includes('-h')) return { name: 'help', text: helpOf(name) };
  switch (name) {
    case 'run': {
      const { values, positionals } = parseOptions(rest, RUN_OPTIONS);
      return { name, sources: positionals, options: values };
    }
    case 'probe':
    case 'validate': {
      const { values, positionals } = parseOptions(rest, PLAIN_OPTIONS);
      const [argument] = positionals;
      if (argument === undefined || positionals.length > 1)
        throw new Fault('USAGE', `${name} takes one argument: stream-infer ${SUBCOMMANDS[name].usage}`);
      return { name, argument, json: values.json };
    }
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

function helpOf(name: SubcommandName): string {
  const { usage, summary, details, options } = SUBCOMMANDS[name];
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
