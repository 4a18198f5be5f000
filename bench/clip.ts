/** The clips that are measured on: drawn by ffmpeg into a folder of their own, with noise so that they decode like a camera's. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

function ffmpeg(...args: string[]): void {
  const { status, stderr } = spawnSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ffmpeg ${args.join(' ')}: ${stderr}`);
}

/** 60 s of 1080p30, testsrc2 with temporal noise, x264 at 8 Mbit/s. */
export function minuteOf1080p30(folder: string): string {
  const file = join(folder, 'minute-1080p30.mp4');
  if (!existsSync(file))
    ffmpeg(
      ...['-f', 'lavfi', '-i', 'testsrc2=size=1920x1080:rate=30:duration=60', '-vf', 'noise=alls=12:allf=t'],
      ...[
        '-c:v',
        'libx264',
        '-preset',
        'veryfast',
        '-b:v',
        '8M',
        '-maxrate',
        '8M',
        '-bufsize',
        '16M',
        '-pix_fmt',
        'yuv420p',
        file,
      ],
    );
  return file;
}

/** The same minute, `times` times over, without coding it again. */
export function repeated(minute: string, times: number, folder: string): string {
  const file = join(folder, `repeated-${times}.mp4`);
  if (!existsSync(file)) ffmpeg('-stream_loop', String(times - 1), '-i', minute, '-c', 'copy', file);
  return file;
}

/** The demo's clip at a camera's rate and small, coded so that to decode it costs next to nothing. */
export function slowDemo(root: string, fps: number, folder: string): string {
  const file = join(folder, 'demo.avi');
  const demo = join(root, 'examples', 'demo', 'demo.mp4');
  ffmpeg('-i', demo, '-vf', `fps=${fps},scale=320:180`, '-c:v', 'mjpeg', '-q:v', '3', file);
  return file;
}

const ENCODERS = {
  h264: ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '0', '-g', '50', '-pix_fmt', 'yuv420p'],
  hevc: ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none:bframes=0:keyint=50'],
  mjpeg: ['-c:v', 'mjpeg', '-q:v', '5', '-pix_fmt', 'yuvj420p'],
} as const;

type ClipOptions = { readonly codec: keyof typeof ENCODERS; readonly width: number; readonly height: number };

/** Two minutes as a camera sends them, at four bits a pixel and second of H.264; ten seconds of it are coded, and come again. */
export function cameraClip({ codec, width, height }: ClipOptions, rate: number, folder: string): string {
  const file = join(folder, `camera-${codec}-${width}x${height}.mkv`);
  if (existsSync(file)) return file;
  const ten = join(folder, `ten-${codec}-${width}x${height}.mkv`);
  const noisy = `testsrc2=size=${width}x${height}:rate=${rate}:duration=10`;
  const bits = codec === 'mjpeg' ? [] : ['-b:v', String(4 * width * height)];
  ffmpeg('-f', 'lavfi', '-i', noisy, '-vf', 'noise=alls=12:allf=t', ...ENCODERS[codec], ...bits, ten);
  ffmpeg('-stream_loop', '11', '-i', ten, '-c', 'copy', file);
  return file;
}
