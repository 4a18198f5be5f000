/** Clips made by ffmpeg for one test file, and what ffmpeg and ffprobe themselves say of a file. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const LARGE = { maxBuffer: 64 * 2 ** 20 };

export type ClipFolder = {
  readonly path: string;
  /** Path of a file in the folder, made by ffmpeg with these arguments before it. */
  clip(name: string, ...args: readonly string[]): Promise<string>;
  remove(): Promise<void>;
};

export async function clipFolder(): Promise<ClipFolder> {
  const path = await mkdtemp(join(tmpdir(), 'stream-infer-test-clips-'));
  return {
    path,
    async clip(name, ...args) {
      const file = join(path, name);
      await run('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args, file]);
      return file;
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

/** x264 of ffmpeg's moving test picture; `more` are options of the encoder or muxer. */
export const testPicture = (size: string, rate: string, seconds: number, ...more: readonly string[]): string[] => [
  '-f',
  'lavfi',
  '-i',
  `testsrc2=s=${size}:r=${rate}:d=${seconds}`,
  '-c:v',
  'libx264',
  '-preset',
  'ultrafast',
  '-pix_fmt',
  'yuv420p',
  ...more,
];

export type ReferenceFrame = { readonly ptsTicks: number; readonly md5: string };

/** Every frame of a file as ffmpeg alone decodes it. */
export async function referenceFrames(file: string, ...output: readonly string[]): Promise<ReferenceFrame[]> {
  const passthrough = ['-fps_mode', 'passthrough', '-copyts', ...output, '-f', 'framemd5', '-'];
  const { stdout } = await run('ffmpeg', ['-nostdin', '-v', 'quiet', '-i', file, ...passthrough], LARGE);
  return stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(',').map((field) => field.trim()))
    .map((fields) => ({ ptsTicks: Number(fields[2]), md5: fields[5] ?? '' }));
}

/** Presentation times of a stream's packets in ticks, ascending. */
export async function packetPts(file: string, stream = 'v:0'): Promise<number[]> {
  const entries = ['-select_streams', stream, '-show_entries', 'packet=pts', '-of', 'csv=p=0'];
  const { stdout } = await run('ffprobe', ['-v', 'quiet', ...entries, file], LARGE);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Number(line.split(',')[0]))
    .sort((a, b) => a - b);
}
