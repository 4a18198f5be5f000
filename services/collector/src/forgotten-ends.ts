/**
 * Ends of runs that the store had and retention has removed. The registry still has the run, and the bus its end (EX-6): without it a
 * job of last month would look as if it had yet to be stored.
 */

import type { Bus } from '@stream-infer/bus/bus';
import { lastEnd } from '@stream-infer/bus/result-stream';
import type { Run } from '@stream-infer/core/run';
import type { ResultQueries, RunSummary } from './result-queries.ts';
import { currentRun, type StreamRegistry } from './stream-registry.ts';

export type ForgottenEnds = {
  /** As the store would tell of it, with no result left. */
  of(run: string): RunSummary | undefined;
  /** Looks for those of the streams that are registered. Rejects where the bus does not answer. */
  round(): Promise<void>;
};

export function createForgottenEnds(bus: Bus, store: ResultQueries, registry: StreamRegistry): ForgottenEnds {
  let known = new Map<string, RunSummary>();
  return {
    of: (run) => known.get(run),
    async round() {
      const over = registry
        .streams()
        .map((entry) => currentRun(entry, registry.run(entry.key)))
        .filter((run) => run !== undefined && isOver(run.state.kind)) as Run[];
      const stored = new Set((await store.runsOf(over)).map(({ run }) => run));
      const found = new Map<string, RunSummary>();
      for (const run of over.filter((each) => !stored.has(each.run))) {
        const summary = known.get(run.run) ?? (await storedEnd(run));
        if (summary) found.set(run.run, summary);
      }
      known = found;
    },
  };

  /** One that the store has yet to take is none. */
  async function storedEnd({ stream, run }: { stream: string; run: string }): Promise<RunSummary | undefined> {
    const message = await lastEnd(bus, { stream, run });
    if (message === undefined || message.sequence > (await store.progress()).sequence) return undefined;
    if (await store.run(stream, run)) return undefined;
    return { id: -1, stream, run, end: new TextDecoder().decode(message.data), results: 0, errors: 0 };
  }
}

const isOver = (kind: string): boolean => kind === 'ended' || kind === 'failed';
