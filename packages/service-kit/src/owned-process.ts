/**
 * Child processes that die with their parent (EX-12), however it dies: started through `setpriv --pdeathsig` where there is one.
 * In a session of its own, so that a terminal's Ctrl-C reaches the parent alone and it decides the order of the stop.
 */

import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';

let setpriv: boolean | undefined;

const hasSetpriv = (): boolean => {
  setpriv ??=
    process.platform === 'linux' &&
    spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { stdio: 'ignore' }).status === 0;
  return setpriv;
};

/** Like `spawn`; the child gets SIGKILL when this process ends, where the system can promise it (Linux). */
export function spawnOwned(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const owned = { ...options, detached: true };
  return hasSetpriv()
    ? spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], owned)
    : spawn(command, args, owned);
}
