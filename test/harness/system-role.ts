/** Which part of the system a process is, by its command line. */

import { readFile } from 'node:fs/promises';

export type Role = 'ingest' | 'ffmpeg' | 'scheduler' | 'algo-runner' | 'collector' | 'nats-server';

/** What a command line has that no other role's has. */
const COMMAND_LINES: Readonly<Record<Role, RegExp>> = {
  ingest: /node\0.*services\/ingest\/src\/main/,
  // Not the one that tells its version.
  ffmpeg: /^ffmpeg\0-nostdin\0/,
  scheduler: /node\0.*services\/scheduler\/src\/main/,
  'algo-runner': /node\0.*services\/algo-runner\/src\/main/,
  collector: /node\0.*services\/collector\/src\/main/,
  'nats-server': /nats-server\0-c\0/,
};

export const ROLES = Object.keys(COMMAND_LINES) as Role[];

/** Undefined where it is none of them, is gone, or has yet to become one. */
export async function roleOf(pid: number): Promise<Role | undefined> {
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return line.startsWith('setpriv') ? undefined : ROLES.find((role) => COMMAND_LINES[role].test(line));
}
