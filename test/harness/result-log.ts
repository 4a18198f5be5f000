/** Everything that stands in RESULTS, in order. */

import type { Bus } from '@stream-infer/bus/bus';
import { directGet } from '@stream-infer/bus/direct-get';
import type { ResultRecord, RunEnd } from '@stream-infer/core/result-record';
import { eventually } from './eventually.ts';

export type ResultLog = { readonly records: readonly ResultRecord[]; readonly ends: readonly RunEnd[] };

export async function resultLog(bus: Bus): Promise<ResultLog> {
  const { state } = await bus.manager.streams.info(bus.topology.resultsStream);
  const records: ResultRecord[] = [];
  const ends: RunEnd[] = [];
  for (let sequence = 1; sequence <= state.last_seq; sequence += 1) {
    const message = await directGet(bus, bus.topology.resultsStream, { seq: sequence });
    if (message === undefined) continue;
    const value = JSON.parse(new TextDecoder().decode(message.data)) as ResultRecord | RunEnd;
    if ('algorithm' in value) records.push(value);
    else ends.push(value);
  }
  return { records, ends };
}

/** Waits for the end of a stream's run; its records and its end. */
export async function untilEnded(
  bus: Bus,
  stream: string,
  run = 'r1',
): Promise<{ records: ResultRecord[]; end: RunEnd }> {
  return eventually(`the end of run ${run} of ${stream}`, async () => {
    const message = await directGet(bus, bus.topology.resultsStream, {
      last_by_subj: bus.topology.endSubject(stream, run),
    });
    if (message === undefined) return undefined;
    const { records, ends } = await resultLog(bus);
    const end = ends.find((one) => one.stream === stream && one.run === run);
    return end && { records: records.filter((one) => one.stream === stream && one.run === run), end };
  });
}
