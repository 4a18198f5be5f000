/** What `stream-infer plan` takes. */

import { Fault } from '@stream-infer/core/fault';
import { HELP, JSON_OPTION, STREAM_FLAGS } from '../common-options.ts';
import { type OptionTable, type OptionValues, parseOptions, type Subcommand } from '../option-table.ts';

const { fps, width, height, 'pixel-format': pixelFormat } = STREAM_FLAGS;

const OPTIONS = {
  config: {
    type: 'string',
    value: 'FILE',
    description: 'Algorithms and streams from a YAML file, as run and up take it.',
  },
  cameras: { type: 'string', value: 'N', description: 'So many cameras alike, beside the streams of the file.' },
  algorithm: {
    type: 'string',
    value: 'NAME=USE[,key=value…]',
    multiple: true,
    description:
      'An algorithm, as for run; expectedMs is what a window costs (default 100), device=gpu puts its runners on GPUs. May be given several times.',
  },
  size: { type: 'string', value: 'WxH', description: 'Size of the pictures that cameras send. Default: 1920x1080.' },
  rate: { type: 'string', value: 'N', description: 'Pictures a second that cameras send. Default: 25.' },
  codec: { type: 'string', value: 'NAME', description: 'What cameras send. Default: h264.' },
  fps: { ...fps, description: 'Play rate of --cameras, such as 10. Default: what they send.' },
  width,
  height,
  'pixel-format': pixelFormat,
  target: {
    type: 'string',
    value: 'PART',
    description: 'How busy runners, and the thread of each other service, are to be. Default: 0.7.',
  },
  'streams-per-ingest': { type: 'string', value: 'N', description: 'The most streams of an ingest. Default: 40.' },
  curve: {
    type: 'string',
    value: 'FILE',
    description: 'What make bench-plan measured on your machine. Default: what it measured on ours.',
  },
  ...JSON_OPTION,
  ...HELP,
} as const satisfies OptionTable;

export const PLAN = {
  usage: 'plan --config FILE | --cameras N --algorithm … [OPTIONS]',
  summary: 'tell how many pods, cores and bytes so many cameras need',
  details: `From a measured curve of what each step costs. Streams are cameras, played in realtime; files that are played offline take what is
left, and are left out.

  stream-infer plan --config cameras.yaml --size 1280x720
  stream-infer plan --cameras 500 --fps 10 --width 1280 --height 720 --algorithm faces=onnx-detector,interval=1,expectedMs=40`,
  options: OPTIONS,
} as const satisfies Subcommand;

export type PlanFlags = OptionValues<typeof OPTIONS>;

export type PlanArguments = {
  readonly flags: PlanFlags;
  readonly cameras: number;
  /** What cameras send. */
  readonly size: { readonly width: number; readonly height: number };
  readonly targetUtilization: number;
  readonly streamsPerIngest: number;
};

const MOST_CAMERAS = 1_000_000;

/** Throws USAGE. */
export function parsePlanArguments(args: readonly string[]): PlanArguments {
  const { values: flags, positionals } = parseOptions(args, OPTIONS);
  const [unasked] = positionals;
  if (unasked !== undefined)
    throw new Fault('USAGE', `plan takes no argument, and ${unasked} is given: --config ${unasked}?`);
  if (flags.config === undefined && (flags.cameras === undefined || flags.algorithm.length === 0))
    throw new Fault(
      'USAGE',
      'plan needs to know cameras and algorithms: give --config FILE, or --cameras 500 --algorithm faces=onnx-detector,interval=1,expectedMs=40',
    );
  const target = flags.target === undefined ? 0.7 : Number(flags.target);
  if (!(target > 0 && target <= 1))
    throw new Fault('USAGE', `--target is ${flags.target}: give a part of 1, such as 0.7`);
  return {
    flags,
    cameras: flags.cameras === undefined ? 0 : count('cameras', flags.cameras),
    size: sizeOf(flags.size ?? '1920x1080'),
    targetUtilization: target,
    streamsPerIngest: count('streams-per-ingest', flags['streams-per-ingest'] ?? '40'),
  };
}

function sizeOf(given: string): PlanArguments['size'] {
  const [, width = 0, height = 0] = /^(\d{1,5})x(\d{1,5})$/.exec(given)?.map(Number) ?? [];
  if (width > 0 && height > 0) return { width, height };
  throw new Fault('USAGE', `--size is ${given}: give width and height in pixels, such as 1280x720`);
}

function count(option: string, given: string): number {
  const value = Number(given);
  if (Number.isInteger(value) && value >= 1 && value <= MOST_CAMERAS) return value;
  throw new Fault('USAGE', `--${option} is ${given}: give a whole number from 1 to ${MOST_CAMERAS}`);
}
