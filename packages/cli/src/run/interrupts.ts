/** SIGINT and SIGTERM during a run: the first asks it to end with what it has, the second ends it at once. */

/** SIGPIPE stands for a reader of standard output that is gone; Node.js tells of it by an error. */
export type InterruptSignal = 'SIGINT' | 'SIGTERM' | 'SIGPIPE';

/** Exit status by convention: 128 and the signal's number. */
export const INTERRUPT_STATUS = { SIGINT: 130, SIGTERM: 143, SIGPIPE: 141 } as const satisfies Record<
  InterruptSignal,
  number
>;

export type Interrupts = {
  /** Which came first, once one has. */
  readonly first: Promise<InterruptSignal>;
  /** Aborts with the first. */
  readonly signal: AbortSignal;
  /** Gives the signals back to the system. */
  close(): void;
};

/** @param onSecond must end the process. */
export function watchInterrupts(onSecond: (signal: InterruptSignal) => void): Interrupts {
  const first = Promise.withResolvers<InterruptSignal>();
  const aborting = new AbortController();
  const onSignal = (signal: InterruptSignal): void => {
    if (aborting.signal.aborted) onSecond(signal);
    first.resolve(signal);
    aborting.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    first: first.promise,
    signal: aborting.signal,
    close: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  };
}
