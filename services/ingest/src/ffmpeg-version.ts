/** Whether the ffmpeg and ffprobe that this ingest is to run are there and recent enough, asked once at the start. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Fault } from '@stream-infer/core/fault';

const OLDEST = { major: 5, minor: 1 } as const;
const ASK_LIMIT_MS = 10_000;
const run = promisify(execFile);

export type Program = 'ffmpeg' | 'ffprobe';

/** The version as the program tells it. Throws FFMPEG_MISSING and FFMPEG_TOO_OLD. */
export async function programVersion(program: Program, path: string): Promise<string> {
  const answer = await run(path, ['-version'], { timeout: ASK_LIMIT_MS }).catch((error: unknown) => {
    throw new Fault(
      'FFMPEG_MISSING',
      `${program} cannot be run as ${path}: install ffmpeg 5.1 to 8 (Debian: apt-get install ffmpeg) or set ${program.toUpperCase()}_PATH`,
      { cause: error },
    );
  });
  return checkedVersion(program, answer.stdout);
}

/** Pure: reads the first line of `-version`. A version that is no number, as of a build of ffmpeg's newest source, passes. */
export function checkedVersion(program: Program, output: string): string {
  const version = /version (\S+)/.exec(output)?.[1] ?? 'unknown';
  const number = /^n?(\d+)\.(\d+)/.exec(version);
  if (!number) return version;
  const [major, minor] = [Number(number[1]), Number(number[2])];
  if (major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor)) return version;
  throw new Fault('FFMPEG_TOO_OLD', `${program} is version ${version}: install 5.1 or newer`);
}
