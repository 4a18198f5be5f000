/** Tells whoever listens that the store has something new. What is new they read from the store, so nothing is kept here. */

export type EventFeed = {
  /** Something was committed. */
  notify(): void;
  /** Whether anybody listens. */
  isAwaited(): boolean;
  /** Counts notifications; to be read before looking into the store. */
  version(): number;
  /** Resolves when the version differs from `seen`, after `timeoutMs`, or when the signal aborts, whichever is first. */
  changed(seen: number, timeoutMs: number, signal: AbortSignal): Promise<void>;
};

export function createEventFeed(): EventFeed {
  const waiting = new Set<() => void>();
  let version = 0;
  return {
    notify() {
      version += 1;
      for (const wake of waiting) wake();
    },
    isAwaited: () => waiting.size > 0,
    version: () => version,
    changed(seen, timeoutMs, signal) {
      if (version !== seen || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', wake);
          waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, timeoutMs);
        signal.addEventListener('abort', wake, { once: true });
        waiting.add(wake);
      });
    },
  };
}
