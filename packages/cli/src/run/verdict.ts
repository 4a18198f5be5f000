/** What a run amounts to: the faults to tell, one line each, and the exit status. */

import { type ExitStatus, Fault } from '@stream-infer/core/fault';
import type { AlgorithmTotals } from '@stream-infer/core/result-record';
import { faultOfStream } from './logged-fault.ts';
import type { FirstError, StreamResult } from './run-result.ts';

export type Verdict = { readonly faults: readonly Fault[]; readonly exitStatus: 0 | ExitStatus };

export type Judgement = {
  readonly strict: boolean;
  /** What ended the run for all of its streams. */
  readonly systemFault?: Fault | undefined;
  readonly interrupted?: boolean;
};

/**
 * 0: done. 1: an algorithm never succeeded, or anything failed and `strict` is set. Else the highest status of what kept a stream
 * from being played.
 */
export function judge(results: readonly StreamResult[], { strict, systemFault, interrupted }: Judgement): Verdict {
  const faults = [
    ...(systemFault ? [systemFault] : []),
    // Of sources that were stopped on demand, that they did not come to their end is no fault.
    ...results.flatMap(streamFaults).filter(({ code }) => !(interrupted && code === 'SOURCE_LOST')),
  ];
  const severe = Math.max(0, ...faults.map(({ exitStatus }) => (exitStatus > 1 ? exitStatus : 0)));
  const failed = faults.some(({ code }) => strict || code === 'ALGORITHM_NEVER_SUCCEEDED');
  return { faults, exitStatus: severe > 0 ? (severe as ExitStatus) : failed ? 1 : 0 };
}

function streamFaults({ spec, progress, end, firstErrors }: StreamResult): Fault[] {
  const own = end?.fault ?? progress?.fault;
  return [
    ...(own ? [faultOfStream(new Fault(own.code, own.message), spec.id)] : []),
    ...Object.entries(end?.algorithms ?? {}).flatMap(([name, totals]) =>
      algorithmFaults(`stream ${spec.id}, algorithm ${name}`, totals, firstErrors.get(name)),
    ),
  ];
}

function algorithmFaults(where: string, totals: AlgorithmTotals, first?: FirstError): Fault[] {
  const { triggered, completed, failed } = totals;
  const faults: Fault[] = [];
  if (failed > 0) {
    const { code, message } = first?.error ?? { code: 'ALGORITHM_FAILED', message: 'no record tells why' };
    const when = first ? `, first at ${first.key} s` : '';
    const place = first?.place === undefined ? '' : ` (at ${first.place})`;
    faults.push(new Fault(code, `${where}: ${failed} of ${triggered} invocations failed${when}: ${message}${place}`));
  }
  if (triggered > 0 && completed === 0)
    faults.push(
      new Fault(
        'ALGORITHM_NEVER_SUCCEEDED',
        `${where}: none of ${triggered} invocations gave a result: ${fates(totals)}`,
      ),
    );
  return faults;
}

/** What became of invocations that gave no result, and what to do. */
function fates({ failed, dropped }: AlgorithmTotals): string {
  const drops = Object.entries(dropped).map(([reason, count]) => `${count} dropped (${reason})`);
  const advice = failed > 0 ? 'mend what the first failure tells' : 'raise interval, or make it faster';
  return `${[...(failed > 0 ? [`${failed} failed`] : []), ...drops].join(', ')}: ${advice}`;
}
