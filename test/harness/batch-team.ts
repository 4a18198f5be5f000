/** An algorithm that takes batches, and what its runner's metrics say of them. */

import type { TestRunner } from './runner.ts';

/** Answers each window with the size of its batch; the options say what else it does. */
export const TEAM = `
export default class Team {
  static version = 'team-1';
  async runBatch(windows, contexts) {
    const { options, spent } = contexts[0];
    spent('infer', 2);
    if (options.holdMs) await new Promise((resolve) => setTimeout(resolve, options.holdMs));
    for (const { n } of contexts) if (n === options.throwsAt) throw new Error('not this one');
    for (const { n } of contexts) if (n === options.exitsAt) process.exit(3);
    for (const { n } of contexts) if (n === options.hangsAt) for (;;);
    const kept = windows.filter((_, at) => contexts[at].n !== options.forgets);
    return kept.map(([frame], at) => ({ windows: windows.length, n: contexts[at].n, pixel: frame.data[3] }));
  }
  async run(frames, context) {
    return (await this.runBatch([frames], [context]))[0];
  }
}`;

/** Mean of a histogram of the runner, such as `batch_windows`. */
export async function histogramMean(of: TestRunner, name: string): Promise<number> {
  const sum = await of.metric(new RegExp(`^stream_infer_runner_${name}_sum\\{.*\\} (\\S+)$`, 'm'));
  return sum / (await of.metric(new RegExp(`^stream_infer_runner_${name}_count\\{.*\\} (\\S+)$`, 'm')));
}
