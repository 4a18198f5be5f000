/** bench/SOAK.md: what eight streams held over the time, process by process, and how far apart their results were. */

import type { SeriesGaps } from './result-gaps.ts';
import { fileSystemLine, machineLine } from './table.ts';
import type { UsageReport } from './usage-report.ts';

/** Gaps of a series beside what they may be. */
export type HeldGaps = SeriesGaps & {
  readonly minute: number;
  readonly limitFrames: number;
  readonly limitMs: number;
  readonly held: boolean;
};

export type Totals = {
  readonly triggered: number;
  readonly completed: number;
  readonly failed: number;
  readonly dropped: number;
};

export type SoakFacts = {
  /** Where nats-server and the collector have their files. */
  readonly folder: string;
  readonly minutes: number;
  readonly warmUpMinutes: number;
  readonly samples: number;
  readonly usage: UsageReport;
  readonly gaps: readonly HeldGaps[];
  readonly totals: Totals;
};

const yes = (held: boolean): string => (held ? 'yes' : 'NO');
const fixed = (value: number, digits = 1): string => value.toFixed(digits);

export function soakDocument({ folder, minutes, warmUpMinutes, samples, usage, gaps, totals }: SoakFacts): string {
  const processes = usage.processes.map(
    ({ name, meanMiB, courseMiB, slopeMiB, errorMiB, growthMiB, limitMiB, descriptors, held }) =>
      `| ${name} | ${fixed(meanMiB)} | ${courseMiB.map((value) => fixed(value)).join(' → ')} | ${fixed(slopeMiB, 2)} ± ${fixed(errorMiB, 2)} | ${fixed(growthMiB, 2)} | ≤ ${fixed(limitMiB, 2)} | ${descriptors.first} → ${descriptors.second} (${descriptors.most}) | ${yes(held)} |`,
  );
  const counted = usage.counted.map(
    ({ what, first, second, most, held }) => `| ${what} | ${first} → ${second} (${most}) | ${yes(held)} |`,
  );
  const series = gaps.map(
    ({ stream, algorithm, results, frames, limitFrames, ms, minute, limitMs, held }) =>
      `| ${stream} | ${algorithm} | ${results} | ${frames} (≤ ${limitFrames}) | ${Math.round(ms)} (≤ ${limitMs}) | ${fixed(minute)} | ${yes(held)} |`,
  );
  return `# Eight streams for ${minutes} minutes

Written by \`make soak\`: \`stream-infer up\` plays eight live sources of 10 frames/s, and on each a statistic, a detector and a tracker, which remembers its stream.
Before the ${minutes} minutes they warm up for ${fixed(warmUpMinutes, 0)}, which the memory's figures leave out; of the rest there are ${samples} samples. What is not measured: cameras over a network, models that need a GPU, days.

${machineLine()} ${fileSystemLine(folder)}

**Memory** is PSS after a collection of garbage. The slope is that of the least-squares line; its standard error is widened by the correlation of neighbouring samples. What a process grew by over
the measured time beyond two errors may be 2 % of its mean, or 1 MiB. **Descriptors**, and what is counted below, are the medians of the first and the second half of the time, and the most at any time;
the second may not be above the first. No process may come or go${usage.restless.length === 0 ? '; none did' : `; these did: ${usage.restless.join(', ')}`}.

| process | mean MiB | medians of fifths of the time | slope, MiB an hour | growth, MiB | limit | descriptors | held |
|---|---|---|---|---|---|---|---|
${processes.join('\n')}

| count | first half → second (most) | held |
|---|---|---|
${counted.join('\n')}

**Gaps** are between two results of a stream and algorithm that followed each other, the longest from the first result to the end of the run, warm-up included: in frames of the source, and
in the time at which the collector's live feed brought them, with the minute from the start in which the longest began. Both may be the interval and two frames.

| stream | algorithm | results | frames | ms | minute | held |
|---|---|---|---|---|---|---|
${series.join('\n')}

Of ${totals.triggered} invocations that the services had told of by then ${totals.completed} were completed, ${totals.failed} failed, ${totals.dropped} were dropped, and ${totals.triggered - totals.completed - totals.failed - totals.dropped} were under way at the end.
`;
}
