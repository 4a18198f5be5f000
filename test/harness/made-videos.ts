/** Small videos and broken ones, made by ffmpeg where a test needs them. */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

type VideoOptions = {
  readonly seconds: number;
  readonly fps?: number;
  readonly size?: string;
  readonly picture?: 'testsrc2' | 'color';
};

/** A test picture that moves, or another source of ffmpeg's. */
export function makeVideo(path: string, options: VideoOptions): void {
  const { seconds, fps = 10, size = '160x120', picture = 'testsrc2' } = options;
  ffmpeg('-f', 'lavfi', '-i', `${picture}=s=${size}:r=${fps}:d=${seconds}`, ...H264, path);
}

/** A file with sound and no picture. */
export function makeSound(path: string): void {
  ffmpeg('-f', 'lavfi', '-i', 'sine=d=1', '-c:a', 'aac', path);
}

/** The video with part of its pictures, from one share of them to another, turned into zeros; the header stays as it is. */
export function breakVideo(from: string, to: string, [start, end]: readonly [number, number]): void {
  const bytes = readFileSync(from);
  const media = bytes.indexOf('mdat') + 4;
  const size = bytes.length - media;
  bytes.fill(0, media + Math.floor(size * start), media + Math.floor(size * end));
  writeFileSync(to, bytes);
}

/** A keyframe each second, the header first. */
const H264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '10', '-pix_fmt', 'yuv420p', '-movflags', '+faststart'];

function ffmpeg(...args: string[]): void {
  execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args]);
}
