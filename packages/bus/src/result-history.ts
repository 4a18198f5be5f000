/**
 * Results that stand in RESULTS, read back: what a scheduler that takes a stream over hands to the algorithms that come after others
 * (EX-6).
 */

import type { ResultRecord } from '@stream-infer/core/result-record';
import type { Bus } from './bus.ts';
import { directGet } from './direct-get.ts';

export type StoredResult = { readonly sequence: number; readonly record: ResultRecord };

/** The results of one subject from a sequence of RESULTS on, in order, to its last. Rejects where the bus does not answer. */
export async function* resultsFrom(
  bus: Bus,
  { stream, run, algorithm }: Pick<ResultRecord, 'stream' | 'run' | 'algorithm'>,
  sequence: number,
): AsyncGenerator<StoredResult, void, void> {
  const { resultsStream, resultSubject } = bus.topology;
  const subject = resultSubject(stream, run, algorithm);
  for (let next = Math.max(sequence, 1); ; ) {
    const message = await directGet(bus, resultsStream, { seq: next, next_by_subj: subject });
    if (message === undefined) return;
    const record = JSON.parse(new TextDecoder().decode(message.data)) as ResultRecord;
    yield { sequence: message.sequence, record };
    next = message.sequence + 1;
  }
}
