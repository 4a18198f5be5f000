/** Presentation times of a stream's packets, as ffprobe lists them without decoding anything. */

import { type PacketRange, packetArguments } from './ffmpeg-command.ts';
import { startOnSource } from './ffmpeg-process.ts';
import type { Source } from './source.ts';

export type PacketTimes = {
  /** In the order of the file; of packets without one, the decoding time, where there is that. */
  readonly ptsTicks: readonly number[];
  /** Packets in all, with a time or without. */
  readonly packets: number;
  /** Packets that are decoded for others' sake alone, and give no frame (edit lists). */
  readonly discarded: number;
  /** Packets that can be decoded without others. */
  readonly keyframes: number;
};

export type ListOptions = {
  readonly ffprobePath: string;
  readonly source: Source;
  readonly range: PacketRange;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

const LINE = /^pts=(-?\d+|N\/A)\|dts=(-?\d+|N\/A)\|flags=(\S*)/;

/** What ffprobe could list until it ended or the time was up: of a damaged source, what is readable. */
export async function packetTimes({
  ffprobePath,
  source,
  range,
  timeoutMs,
  signal,
}: ListOptions): Promise<PacketTimes> {
  const ptsTicks: number[] = [];
  let packets = 0;
  let discarded = 0;
  let keyframes = 0;
  const readLine = (line: string): void => {
    const match = LINE.exec(line);
    if (!match) return;
    packets += 1;
    const [, pts = '', dts = '', flags = ''] = match;
    if (flags.includes('K')) keyframes += 1;
    if (flags.includes('D')) discarded += 1;
    else if (pts !== 'N/A') ptsTicks.push(Number(pts));
    else if (dts !== 'N/A') ptsTicks.push(Number(dts));
  };

  const child = startOnSource(ffprobePath, packetArguments(source, range), source, ['pipe', 'ignore']);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const stop = (): void => {
    child.kill('SIGKILL');
  };
  if (limit.aborted) stop();
  limit.addEventListener('abort', stop, { once: true });
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) readLine(line);
  });
  await new Promise<void>((resolve) => {
    child.once('close', () => resolve()).once('error', () => resolve());
  });
  limit.removeEventListener('abort', stop);
  return { ptsTicks, packets, discarded, keyframes };
}
