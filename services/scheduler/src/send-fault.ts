/** Why a window that was sent has no answer. */

import { Fault } from '@stream-infer/core/fault';

type Sent = { readonly n: number };
type Sends = { readonly sent: number };

export const lostFault = ({ n }: Sent, { sent }: Sends): Fault =>
  new Fault('RUNNER_LOST', `the runner died or became unreachable while it held window ${n}, ${sent} times`);

export const overdueFault = ({ n }: Sent, timeoutMs: number): Fault =>
  new Fault(
    'ALGORITHM_TIMEOUT',
    `the runner did not answer window ${n}, neither within its timeoutMs of ${timeoutMs} nor long after`,
  );
