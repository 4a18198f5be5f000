/**
 * What a source is, before anything is decoded: its picture, its rate, and whether it is live. A source that can never be
 * played is refused here with what is wrong with it.
 */

import { stat } from 'node:fs/promises';
import { Fault } from '@stream-infer/core/fault';
import { formatRational, parseRational, type Rational, toNumber } from '@stream-infer/core/rational';
import type { SourceFacts } from '@stream-infer/core/run';
import type { VideoStreamReport } from '@stream-infer/core/source-report';
import type { Size } from './geometry.ts';
import { packetTimes } from './packet-times.ts';
import { type ProbedData, type ProbedStream, probeData } from './probe-data.ts';
import { liveRate, type PacketWindow, rateFacts } from './rate-facts.ts';
import type { Source } from './source.ts';
import { noFramesFault, openFault, SourceFault, timeoutFault } from './source-fault.ts';

export type ProbedSource = {
  readonly facts: SourceFacts;
  /** Frames, as the container counts them. */
  readonly frameCount?: number;
  /** Degrees clockwise by which the picture is turned to be shown. */
  readonly rotation: number;
  readonly videoStreams: readonly VideoStreamReport[];
};

export type ProbeOptions = {
  readonly ffprobePath: string;
  readonly openTimeoutMs: number;
  /** Which of the video streams, from 0. */
  readonly videoStream: number;
  /** What a probe of the same run found, for a live source: a run has one rate, and it need not be waited for again (EX-8). */
  readonly knownFps?: Rational;
  readonly signal: AbortSignal;
};

/** Enough to tell a constant rate, read in some tens of milliseconds. */
const FIRST_PACKETS = 1_500;
/** And as many again at a third and two thirds of a longer file. */
const LATER_PACKETS = 150;
/** Not media: ffmpeg draws any text as a picture of a terminal. */
const TEXT_FORMAT = 'tty';

/** MJPEG over HTTP: pictures one after the other, with nothing that says when. ffmpeg would count 25 a second. */
const TIMELESS_FORMAT = 'mpjpeg';
const MILLISECOND: Rational = { num: 1, den: 1_000 };

/** Throws the fault of a source that cannot be played. */
export async function probe(source: Source, options: ProbeOptions): Promise<ProbedSource> {
  if (source.path !== undefined) await checkFile(source, source.path);
  const { ffprobePath, openTimeoutMs, knownFps, signal } = options;
  const isRateKnown = knownFps !== undefined;
  const outcome = await probeData(ffprobePath, source, { timeoutMs: openTimeoutMs, signal, isRateKnown });
  signal.throwIfAborted();
  if (outcome.kind === 'timeout') throw timeoutFault(source, openTimeoutMs);
  if (outcome.kind === 'failed') throw openFault(source, outcome.stderr);
  const { data } = outcome;
  if (source.kind === 'file' && source.mayNameFiles === false) refusePlaylist(source, data.format.format_name);
  const stream = videoStream(source, data, options.videoStream);
  const durationSeconds = positive(stream.duration) ?? positive(data.format.duration);
  const live = source.live ?? durationSeconds === undefined;
  const clocked = data.format.format_name === TIMELESS_FORMAT;
  const timeBase = clocked ? MILLISECOND : (parseRational(stream.time_base ?? '') ?? { num: 1, den: 90_000 });
  const frameCount = positive(stream.nb_frames);
  const base = {
    ...(frameCount !== undefined && { frameCount }),
    rotation: rotationOf(stream),
    videoStreams: videosOf(data).map(videoReport),
  };
  const picture = pictureSize(stream);
  if (picture === undefined) throw noFramesFault(source);
  const facts = {
    ...picture,
    timeBase: formatRational(timeBase),
    live,
    codec: stream.codec_name ?? 'unknown',
    streamIndex: stream.index,
    ...(clocked && ({ clocked } as const)),
    ...(durationSeconds !== undefined && !live && { durationSeconds }),
  };
  if (live) {
    const fps = formatRational(knownFps ?? liveRate(stream.r_frame_rate, stream.avg_frame_rate));
    return { ...base, facts: { ...facts, fps, sampling: 'time' } };
  }
  const windows = await packetWindows(source, stream.index, durationSeconds, options);
  signal.throwIfAborted();
  if (windows[0]?.ptsTicks.length === 0 && windows[0].packets === 0) throw noFramesFault(source);
  const { fps, constant } = rateFacts({
    windows,
    timeBase,
    realRate: stream.r_frame_rate,
    averageRate: stream.avg_frame_rate,
  });
  return { ...base, facts: { ...facts, fps: formatRational(fps), sampling: constant ? 'index' : 'time' } };
}

/** Formats that are made of files which they name. */
const PLAYLISTS = new Set(['hls', 'concat', 'dash', 'imf']);

function refusePlaylist({ label }: Source, format: string | undefined): void {
  if (format === undefined || !PLAYLISTS.has(format)) return;
  throw new Fault(
    'SOURCE_FORBIDDEN',
    `${label} is a list of other files (${format}), which sources.allow does not tell from any: add files to it if it is to be played`,
  );
}

async function checkFile({ label }: Source, path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new Fault('SOURCE_NOT_FOUND', `${label} does not exist: check the path`);
  if (!found.isFile()) throw new Fault('SOURCE_NOT_MEDIA', `${label} is no file: give a video file, a device or a URL`);
  if (found.size === 0) throw new Fault('SOURCE_EMPTY', `${label} is empty: it has no bytes`);
}

/** Cover art is no video. */
const isVideo = (stream: ProbedStream): boolean =>
  stream.codec_type === 'video' && Number(stream.disposition?.attached_pic ?? 0) === 0;

/** ffprobe tells of a stream once for each program that it is of. */
const videosOf = ({ streams }: Pick<ProbedData, 'streams'>): readonly ProbedStream[] => [
  ...new Map(streams.filter(isVideo).map((stream) => [stream.index, stream])).values(),
];

function videoReport(stream: ProbedStream): VideoStreamReport {
  const { width = 0, height = 0 } = pictureSize(stream) ?? {};
  const rate = parseRational(stream.avg_frame_rate ?? '') ?? parseRational(stream.r_frame_rate ?? '');
  return { codec: stream.codec_name ?? 'unknown', width, height, fps: rate ? toNumber(rate) : null };
}

function videoStream(source: Source, { streams, format }: ProbedData, wanted: number): ProbedStream {
  const { label } = source;
  if (format.format_name === TEXT_FORMAT) throw new Fault('SOURCE_NOT_MEDIA', `${label} is text, no video`);
  const videos = videosOf({ streams });
  const stream = videos[wanted];
  if (stream) return stream;
  if (videos.length === 0)
    throw new SourceFault('SOURCE_NO_VIDEO', 'no-frames', `${label} has no video stream: give a file with video`);
  throw new SourceFault(
    'SOURCE_NO_VIDEO',
    'invalid',
    `${label} has ${videos.length} video stream${videos.length === 1 ? '' : 's'} and videoStream is ${wanted}: choose 0${videos.length === 1 ? '' : ` to ${videos.length - 1}`}`,
  );
}

/** As it is decoded: turned where the source says so. Undefined where ffprobe could not tell. */
function pictureSize(stream: ProbedStream): Size | undefined {
  const { width, height } = stream;
  if (!width || !height) return undefined;
  return rotationOf(stream) % 180 === 90 ? { width: height, height: width } : { width, height };
}

/** ffprobe counts against the clock. */
function rotationOf({ side_data_list: sideData }: ProbedStream): number {
  const turned = sideData?.find(({ rotation }) => rotation !== undefined)?.rotation ?? 0;
  return (360 - (Math.round(turned) % 360)) % 360;
}

type CountedWindow = PacketWindow & { readonly packets: number };

/** The first packets, and of a long local file some later ones. */
async function packetWindows(
  source: Source,
  streamIndex: number,
  durationSeconds: number | undefined,
  { ffprobePath, openTimeoutMs, signal }: ProbeOptions,
): Promise<CountedWindow[]> {
  const window = async (fromSeconds: number | undefined, count: number): Promise<CountedWindow> => {
    const range = { streamIndex, count, ...(fromSeconds !== undefined && { fromSeconds }) };
    const listed = await packetTimes({ ffprobePath, source, range, timeoutMs: openTimeoutMs, signal });
    return { ...listed, whole: listed.packets < count };
  };
  const first = await window(undefined, FIRST_PACKETS);
  if (first.whole || source.kind !== 'file' || durationSeconds === undefined) return [first];
  const later = [durationSeconds / 3, (durationSeconds * 2) / 3].map((from) => window(from, LATER_PACKETS));
  return [first, ...(await Promise.all(later))];
}

/** A number above 0 as ffprobe prints it; undefined for `N/A`. */
function positive(value: string | number | undefined): number | undefined {
  const number = Number(value);
  return Number.isFinite(number) && number > 0 ? number : undefined;
}
