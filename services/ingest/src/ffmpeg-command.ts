/**
 * The command lines of ffmpeg and ffprobe, through fluent-ffmpeg: the only file that imports it. It is archived, and what it finds out
 * about an ffmpeg of version 7 or later it misreads; so nothing here lets it look: its argument builder is called without the checks
 * before it, and it starts nothing: ffmpeg-process.ts does.
 */

import type { Encoding } from '@stream-infer/core/stream-spec';
import ffmpeg, { type FfmpegCommand } from 'fluent-ffmpeg';
import type { Source } from './source.ts';

/** Errors, each line with its level, and nothing else on standard error; never a question on standard input. */
const QUIET = ['-hide_banner', '-loglevel', 'level+error'] as const;

/** What fluent-ffmpeg has and its types do not tell. */
type Unchecked = { _getArguments(): string[] };

function commandFor(source: Source, inputOptions: readonly string[]): FfmpegCommand & Unchecked {
  const { script } = source;
  const command = ffmpeg(script ? 'pipe:0' : source.input) as FfmpegCommand & Unchecked;
  // Two arguments at least: a single one it would split at its space.
  command.inputOptions(...([...inputOptions, ...(script ?? source).inputOptions] as [string, string]));
  return command;
}

/** ffmpeg waits for tens of frames to find the rate of a source that is not a file, which of a camera takes seconds. */
const RATE_KNOWN = ['-fpsprobesize', '0'] as const;

/** Microseconds of the source; 0 is ffmpeg's own choice. It holds back seven pictures of H.264 to guess their order, and the first then comes that much late. */
const ORDER_KNOWN = ['-analyzeduration', '1'] as const;

/**
 * ffprobe's arguments for streams and format of the source, as JSON.
 * @param isRateKnown whether what is told of the rate may be wrong.
 */
export function probeArguments(source: Source, isRateKnown: boolean): string[] {
  const told = ['-show_streams', '-show_format', '-of', 'json'];
  return commandFor(source, [...QUIET, ...(isRateKnown ? RATE_KNOWN : []), ...told])._getArguments();
}

/** Which packets of which stream are listed. */
export type PacketRange = {
  /** Index among all streams of the source. */
  readonly streamIndex: number;
  /** Where to begin; undefined: at the beginning. */
  readonly fromSeconds?: number;
  /** How many; undefined: all there are. */
  readonly count?: number;
};

/** ffprobe's arguments for a line per packet: `pts=…|dts=…|flags=…`. */
export function packetArguments(source: Source, { streamIndex, fromSeconds, count }: PacketRange): string[] {
  const interval = `${fromSeconds?.toFixed(3) ?? ''}%${count === undefined ? '' : `+#${count}`}`;
  return commandFor(source, [
    ...QUIET,
    '-select_streams',
    String(streamIndex),
    '-show_entries',
    'packet=pts,dts,flags',
    '-of',
    'compact=p=0',
    ...(count === undefined ? [] : ['-read_intervals', interval]),
  ])._getArguments();
}

export type DecodeOptions = {
  readonly source: Source;
  readonly streamIndex: number;
  /** 0 lets ffmpeg choose. */
  readonly threads: number;
  /** Read at the natural rate. */
  readonly paced: boolean;
  /** The first picture is wanted when it comes: its time is taken then. */
  readonly prompt: boolean;
  readonly filters: string;
  readonly encoding: Encoding;
};

/** ffmpeg's arguments: frames on standard output, lines about them where the filters write them (filter-chain.ts). */
export function decodeArguments(options: DecodeOptions): string[] {
  const { source, streamIndex, threads, paced, prompt, filters, encoding } = options;
  const command = commandFor(source, [
    '-nostdin',
    ...QUIET,
    // Presentation times as they are in the source.
    '-copyts',
    // A picture that changes its size is scaled as it comes: new filters would begin to count anew.
    '-reinit_filter',
    '0',
    // It was probed.
    ...(source.kind === 'url' ? RATE_KNOWN : []),
    ...(prompt ? ORDER_KNOWN : []),
    ...(threads > 0 ? ['-threads', String(threads)] : []),
    ...(paced ? ['-re'] : []),
  ]);
  command.videoFilters(filters);
  // As many frames come out as are selected: ffmpeg would fill the gaps up.
  command.outputOptions('-map', `0:${streamIndex}`, '-an', '-sn', '-dn', '-fps_mode', 'passthrough');
  command.outputOptions('-flush_packets', '1');
  // One thread of the encoder, of raw pictures too: several would hold back a picture each until the next one comes.
  if (encoding === 'raw') command.outputOptions('-c:v', 'rawvideo', '-threads', '1').format('rawvideo');
  else command.outputOptions('-c:v', 'mjpeg', '-q:v', '2', '-threads', '1').format('mpjpeg');
  return command.output('pipe:1')._getArguments();
}
