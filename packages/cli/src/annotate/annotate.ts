/**
 * The video of a stream with its detections drawn on it. The source is decoded a second time, whole and at its own size, each
 * result's boxes are drawn on the frame that it belongs to and on those after it, and the pictures are encoded as H.264, each
 * shown when it is in the source.
 */

import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Fault, type FaultCode } from '@stream-infer/core/fault';
import type { ResultRecord } from '@stream-infer/core/result-record';
import type { SourceFacts } from '@stream-infer/core/run';
import { spawnOwned } from '@stream-infer/service-kit/owned-process';
import { unwritable } from '../run/output-target.ts';
import type { Workspace } from '../system/workspace.ts';
import { drawDetections } from './detection-drawing.ts';
import { type DetectionTrack, type DrawnAlgorithm, trackDetections } from './detection-track.ts';
import { drawOnFragments } from './movie-fragments.ts';

export type Annotation = {
  /** Absolute path of the source. */
  readonly source: string;
  readonly facts: SourceFacts;
  /** Which of the video streams, from 0. */
  readonly videoStream: number;
  /** Whether the frames before the first result are left out: the run began within the source. */
  readonly fromFirstResult: boolean;
  /** Where the run was interrupted: frames of the source before this one are drawn. */
  readonly before: number | undefined;
  /** Of the stream: each has colours of its own. */
  readonly algorithms: readonly DrawnAlgorithm[];
  /** Ascending by sourceIndex. */
  readonly records: AsyncGenerator<ResultRecord, void, void>;
  /** Where the video goes. */
  readonly path: string;
};

export type AnnotateOptions = {
  readonly ffmpegPath: string;
  readonly workspace: Workspace;
  /** Ends the work; what was written is removed. */
  readonly signal: AbortSignal;
  /** Called with the number of each frame drawn. */
  readonly onFrame: (sourceIndex: number) => void;
};

/** Whether any result was one of detections, and what boxes could not be read. */
export type Annotated = Pick<DetectionTrack, 'found' | 'problems'>;

/**
 * Draws the video. Throws FFMPEG_MISSING, SOURCE_LOST or OUTPUT_UNWRITABLE, and what the signal
 * aborts with.
 */
export async function annotate(annotation: Annotation, options: AnnotateOptions): Promise<Annotated> {
  const { facts, path, source } = annotation;
  const { signal, onFrame } = options;
  const track = trackDetections(annotation.records, annotation.algorithms);
  // A part of an mp4 is none: where the command ends at once, it takes what it began with it.
  const discard = (): void => rmSync(path, { force: true });
  process.once('exit', discard);
  const first = annotation.fromFirstResult ? ((await track.firstIndex()) ?? 0) : 0;
  const decoder = startFfmpeg(decodeArguments(annotation, first), options);
  const encoder = startFfmpeg(encodeArguments(annotation), options);
  let index = first;
  const stride = Math.ceil((facts.width * 3) / 2) * 2;
  const draw = async (data: Uint8Array): Promise<void> => {
    drawDetections({ data, width: facts.width, height: facts.height, stride }, await track.at(index));
    onFrame(index);
    index += 1;
  };
  try {
    const { stdout } = decoder.child;
    const { stdin } = encoder.child;
    if (!stdout || !stdin) throw new Fault('INTERNAL', 'ffmpeg runs without its pipes');
    const piped = pipeline(drawOnFragments(stdout, draw), stdin, { signal });
    // Whichever process fails breaks the pipe: its own words tell more than that.
    const [pipe, decoded, encoded] = await Promise.all([outcomeOf(piped), decoder.ended, encoder.ended]);
    signal.throwIfAborted();
    if (encoded.status !== 0) throw ffmpegFault('OUTPUT_UNWRITABLE', `${path} cannot be encoded`, encoded.said);
    if (decoded.status !== 0) throw ffmpegFault('SOURCE_LOST', `${source} cannot be decoded again`, decoded.said);
    if (pipe) throw unwritable(path, pipe);
    return { found: track.found, problems: track.problems };
  } catch (error) {
    discard();
    throw error;
  } finally {
    process.off('exit', discard);
    decoder.child.kill('SIGKILL');
    encoder.child.kill('SIGKILL');
    await Promise.all([decoder.ended, encoder.ended]);
    await track.close();
  }
}

const QUIET = ['-nostdin', '-hide_banner', '-loglevel', 'error'] as const;

/**
 * Raw pictures, each in a fragment of its own with its time. Colours are taken to RGB and back by one and the same matrix,
 * whichever the source's is, so that what is not drawn on stays as it was.
 */
function decodeArguments({ source, facts, videoStream, before }: Annotation, first: number): string[] {
  const select = first > 0 ? [`select='gte(n\\,${first})'`] : [];
  const { width, height } = facts;
  return [
    ...QUIET,
    ...['-reinit_filter', '0', '-i', `file:${source}`, '-map', `0:V:${videoStream}`],
    ...['-vf', [...select, `scale=${width}:${height}:in_color_matrix=bt601`, 'format=rgb24'].join(',')],
    ...timing(facts),
    ...(before === undefined ? [] : ['-frames:v', String(Math.max(1, before - first))]),
    ...['-c:v', 'rawvideo', '-f', 'mov', '-movflags', 'empty_moov+default_base_moof+frag_every_frame', 'pipe:1'],
  ];
}

/** yuv420p has no odd sizes: an odd picture gets a black line. */
function encodeArguments({ facts, path }: Annotation): string[] {
  const filters = 'pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=out_color_matrix=bt601:out_range=tv,format=yuv420p';
  return [
    ...QUIET,
    ...['-f', 'mov', '-i', 'pipe:0', '-vf', filters, ...timing(facts)],
    ...[
      '-c:v',
      'libx264',
      '-preset',
      'veryfast',
      '-crf',
      '20',
      '-movflags',
      '+faststart',
      '-f',
      'mp4',
      '-y',
      `file:${path}`,
    ],
  ];
}

/** Every frame at its own time, counted as the source counts. */
const timing = ({ timeBase }: SourceFacts): string[] => [
  ...['-fps_mode', 'passthrough', '-enc_time_base', timeBase.replace('/', ':')],
];

type FfmpegEnd = { readonly status: number | null; readonly said: string };
type Ffmpeg = { readonly child: ChildProcess; readonly ended: Promise<FfmpegEnd> };

const KEPT_CHARACTERS = 4_096;

function startFfmpeg(args: readonly string[], { ffmpegPath, workspace, signal }: AnnotateOptions): Ffmpeg {
  const child = spawnOwned(ffmpegPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  workspace.watch(child);
  // A reader that is gone is told of by the end of its process.
  child.stdin?.on('error', () => undefined);
  const said = collect(child.stderr);
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  const ended = new Promise<FfmpegEnd>((resolve) => {
    child.once('close', (status) => resolve({ status, said: said() }));
    child.once('error', (error) => resolve({ status: -1, said: String(error) }));
  });
  void ended.then(() => signal.removeEventListener('abort', kill));
  return { child, ended };
}

function collect(stream: Readable | null): () => string {
  let text = '';
  stream?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-KEPT_CHARACTERS);
  });
  return () => text.trim();
}

const outcomeOf = (work: Promise<void>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

function ffmpegFault(code: FaultCode, what: string, said: string): Fault {
  if (/Unknown encoder/i.test(said))
    return new Fault('FFMPEG_MISSING', `${what}: this ffmpeg has no H.264 encoder (libx264): install one that has`);
  return new Fault(code, `${what}: ${said.split('\n').at(-1) || 'ffmpeg said nothing'}`);
}
