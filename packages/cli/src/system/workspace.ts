/**
 * The temporary folder of a run, and the janitor that removes it: a shell that outlives this process by a moment, told of every
 * child. When its standard input closes, because the run is over or because this process is gone, however that came, it ends the
 * children that are left, then removes the folder. So a run leaves nothing behind (EX-12).
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Fault } from '@stream-infer/core/fault';

/**
 * Children that were orphaned get SIGTERM (where the system kills them with their parent they are gone already), then SIGKILL. A
 * zombie that nobody reaps counts as gone.
 */
const JANITOR = `
trap '' HUP INT TERM
folder=$1
pids=
while read -r verb pid; do
  rest=
  for p in $pids; do [ "$p" = "$pid" ] || rest="$rest $p"; done
  pids=$rest
  if [ "$verb" = watch ]; then pids="$pids $pid"; fi
done
left() {
  for p in $pids; do
    if kill -0 "$p" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$p/status" 2>/dev/null; then return 0; fi
  done
  return 1
}
for p in $pids; do kill -TERM "$p" 2>/dev/null; done
tries=0
while left && [ "$tries" -lt 50 ]; do
  tries=$((tries + 1))
  sleep 0.1
done
# Each child leads a group of its own: what it had started and not yet ended goes with it.
for p in $pids; do kill -KILL "$p" "-$p" 2>/dev/null; done
rm -rf -- "$folder"
`;

export type Workspace = {
  /** Absolute; readable by this user alone. */
  readonly directory: string;
  /** The child is ended by the janitor if this process ends before it. */
  watch(child: ChildProcess): void;
  /** Removes the folder, after the children are gone; idempotent. */
  close(): Promise<void>;
};

/** Throws OUTPUT_UNWRITABLE where the folder for temporary files cannot be written. */
export async function createWorkspace(parent = tmpdir()): Promise<Workspace> {
  const directory = join(resolve(parent), `stream-infer-${randomBytes(6).toString('hex')}`);
  // The janitor runs before there is anything to remove.
  const janitor = spawn('/bin/sh', ['-c', JANITOR, 'stream-infer-janitor', directory], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = new Promise<void>((resolveEnd) =>
    janitor.once('exit', () => resolveEnd()).once('error', () => resolveEnd()),
  );
  // A janitor that was killed is no reason for the run to fail.
  janitor.stdin.on('error', () => undefined);
  const tell = (verb: 'watch' | 'forget', pid: number): void => {
    janitor.stdin.write(`${verb} ${pid}\n`);
  };
  try {
    await mkdir(directory, { mode: 0o700 });
  } catch (error) {
    janitor.stdin.end();
    await ended;
    throw new Fault(
      'OUTPUT_UNWRITABLE',
      `no temporary folder can be made in ${parent}: set TMPDIR to one that can be written`,
      {
        cause: error,
      },
    );
  }
  return {
    directory,
    watch(child) {
      const { pid } = child;
      if (pid === undefined) return;
      tell('watch', pid);
      // A number that is free again may name somebody else's process.
      child.once('exit', () => tell('forget', pid));
    },
    async close() {
      janitor.stdin.end();
      await ended;
    },
  };
}
