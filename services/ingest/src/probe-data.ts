/** What ffprobe tells of a source before anything is decoded. */

import { probeArguments } from './ffmpeg-command.ts';
import { startOnSource } from './ffmpeg-process.ts';
import type { Source } from './source.ts';

/** As ffprobe names things; all but the index may be missing. */
export type ProbedStream = {
  readonly index: number;
  readonly codec_type?: string;
  readonly codec_name?: string;
  readonly width?: number;
  readonly height?: number;
  readonly r_frame_rate?: string;
  readonly avg_frame_rate?: string;
  readonly time_base?: string;
  readonly duration?: string;
  readonly nb_frames?: string;
  readonly disposition?: { readonly attached_pic?: number };
  /** Of the display matrix: degrees against the clock. */
  readonly side_data_list?: readonly { readonly rotation?: number }[];
};

export type ProbedData = {
  readonly streams: readonly ProbedStream[];
  readonly format: { readonly format_name?: string; readonly duration?: string };
};

/** What a probe tells, or what ffprobe wrote on standard error when it failed. */
export type ProbeOutcome =
  | { readonly kind: 'probed'; readonly data: ProbedData }
  | { readonly kind: 'failed'; readonly stderr: string }
  | { readonly kind: 'timeout' };

export type ProbeDataOptions = {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Whether the rate is known, so that what is told of it may be wrong. */
  readonly isRateKnown: boolean;
};

/** Streams and format of the source. The ffprobe is killed when the signal aborts or the time is up. */
export async function probeData(
  ffprobePath: string,
  source: Source,
  { timeoutMs, signal, isRateKnown }: ProbeDataOptions,
): Promise<ProbeOutcome> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const child = startOnSource(ffprobePath, probeArguments(source, isRateKnown), source, ['pipe', 'pipe']);
  const stop = (): void => void child.kill('SIGKILL');
  limit.addEventListener('abort', stop, { once: true });
  if (limit.aborted) stop();
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve).once('error', () => resolve(null));
  });
  limit.removeEventListener('abort', stop);
  if (limit.aborted) return { kind: 'timeout' };
  if (code !== 0) return { kind: 'failed', stderr };
  const { streams = [], format = {} } = JSON.parse(stdout) as Partial<ProbedData>;
  return { kind: 'probed', data: { streams, format } };
}
