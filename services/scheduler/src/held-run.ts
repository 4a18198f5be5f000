/** What a scheduler has in hand of a realtime run, to be told with each beat, so that a successor can count what is lost with it (EX-11). */

import type { HeldRun } from '@stream-infer/bus/registry';
import type { PlayingRun } from './playing-run.ts';
import type { RunLanes } from './run-lanes.ts';

export function heldRun({ run, epoch }: PlayingRun, { account, schedule }: RunLanes): HeldRun {
  const { newest, open } = account;
  return {
    run,
    epoch,
    openFrames: open,
    ...(newest && { newest: { sequence: newest.sequence, n: newest.n } }),
    algorithms: Object.fromEntries(
      schedule.schedules.map(({ algorithm, ledger }) => [
        algorithm.name,
        { due: ledger.triggered, totals: ledger.totals },
      ]),
    ),
  };
}
