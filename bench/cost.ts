/** What a run costs beside decoding alone: one frame-stats a second of 1080p30 at 640×360, offline. */

import { join } from 'node:path';
import { minuteOf1080p30, repeated } from './clip.ts';
import { type Measured, measure } from './measured-process.ts';
import type { Row } from './table.ts';

const LIMIT_PSS_MIB = 700;

export async function benchCost(root: string, folder: string, repetitions: number): Promise<Row[]> {
  const minute = minuteOf1080p30(folder);
  const stats = (file: string): Promise<Measured> =>
    measure(
      join(root, 'stream-infer'),
      [
        ...['run', file, '--algorithm', 'stats=frame-stats,interval=1', '--width', '640', '--height', '360'],
        ...['--output', join(folder, 'results.json')],
      ],
      root,
    );
  const decode = (): Promise<Measured> =>
    measure('ffmpeg', ['-nostdin', '-v', 'error', '-threads', '2', '-i', minute, '-f', 'null', '-'], root);
  await decode();
  const pairs: { limit: Measured; run: Measured }[] = [];
  for (let i = 0; i < repetitions; i += 1) pairs.push({ limit: await decode(), run: await stats(minute) });
  const long = await stats(repeated(minute, 10, folder));
  const median = (values: number[]): number =>
    values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
  const spread = (values: number[]): string => `${Math.min(...values).toFixed(1)}–${Math.max(...values).toFixed(1)}`;
  const walls = pairs.map(({ run }) => run.wallSeconds);
  const cpus = pairs.map(({ run }) => run.cpuSeconds);
  const decodeWall = median(pairs.map(({ limit }) => limit.wallSeconds));
  const decodeCpu = median(pairs.map(({ limit }) => limit.cpuSeconds));
  const peak = Math.max(...pairs.map(({ run }) => run.peakPssMiB));
  return [
    row(
      '60 s of 1080p30, one frame-stats a second: wall',
      median(walls),
      's',
      1.25 * decodeWall + 3,
      `1.25 × ${decodeWall.toFixed(1)} s of decoding alone + 3 s; runs ${spread(walls)}`,
    ),
    row(
      'the same: CPU',
      median(cpus),
      's',
      1.5 * decodeCpu + 3,
      `1.5 × ${decodeCpu.toFixed(1)} s of decoding alone + 3 s; runs ${spread(cpus)}`,
    ),
    row('the same: memory, PSS of all processes, peak', peak, 'MiB', LIMIT_PSS_MIB, 'set'),
    row(
      '600 s of the same: memory',
      long.peakPssMiB,
      'MiB',
      Math.min(LIMIT_PSS_MIB, 1.1 * peak),
      '110 % of that of 60 s',
    ),
  ];
}

const row = (what: string, value: number, unit: string, limit: number, why: string): Row => ({
  what,
  figure: `${value.toFixed(1)} ${unit}`,
  limit: `≤ ${limit.toFixed(1)} ${unit} (${why})`,
  held: value <= limit,
});
