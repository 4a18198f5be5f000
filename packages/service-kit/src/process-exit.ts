/**
 * The end of a service's process, with its status, whatever its threads do. `process.exit` waits for worker threads: one that is inside
 * ONNX Runtime aborts the process or holds it for ever (D7). Such a process is replaced by one that does nothing but exit.
 */

export type ProcessExit = {
  /** Registers what tells whether a thread is inside native code. */
  guard(holdsProcess: () => boolean): void;
  /** Ends the process. */
  end(status: number): void;
};

export function createProcessExit(): ProcessExit {
  const guards: (() => boolean)[] = [];
  return {
    guard: (holdsProcess) => void guards.push(holdsProcess),
    end(status) {
      if (process.execve && guards.some((holdsProcess) => holdsProcess()))
        process.execve(process.execPath, [process.execPath, '-e', `process.exit(${status})`], {
          ...process.env,
          NODE_OPTIONS: '',
        });
      // Handles that a library forgot must not keep a stopped service alive; logs are written synchronously.
      process.exit(status);
    },
  };
}
