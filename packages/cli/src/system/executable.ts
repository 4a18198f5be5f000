/** Programs on the PATH and their versions. */

import { execFile } from 'node:child_process';
import { access, constants, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Absolute path of the program that the PATH leads to; undefined where it leads to none. A path is looked at as it is. */
export async function findExecutable(name: string, path = process.env.PATH ?? ''): Promise<string | undefined> {
  const candidates = name.includes('/')
    ? [resolve(name)]
    : path.split(delimiter).map((folder) => join(folder || '.', name));
  for (const candidate of candidates) {
    const executable = await access(candidate, constants.X_OK).then(
      async () => (await stat(candidate)).isFile(),
      () => false,
    );
    if (executable) return candidate;
  }
  return undefined;
}

export type Version = readonly [major: number, minor: number];

const VERSION_LIMIT_MS = 10_000;

/** What the program calls its version, such as `5.1.6-0+deb12u1`; undefined where it says nothing like one. */
export async function programVersion(file: string, flag: string): Promise<string | undefined> {
  const said = await run(file, [flag], { timeout: VERSION_LIMIT_MS }).then(
    ({ stdout, stderr }) => `${stdout}\n${stderr}`,
    () => '',
  );
  return /(?:version|nats-server:|node)?\s*v?n?(\d+\.\d+[^\s,]*)/i.exec(said)?.[1];
}

/** Whether a version is at least what is needed. One that cannot be read is believed to be: builds from a repository have none. */
export function isAtLeast(version: string | undefined, [major, minor]: Version): boolean {
  const parts = /^(\d+)\.(\d+)/.exec(version ?? '');
  if (!parts) return true;
  const [, foundMajor, foundMinor] = parts.map(Number);
  return (foundMajor ?? 0) > major || (foundMajor === major && (foundMinor ?? 0) >= minor);
}
