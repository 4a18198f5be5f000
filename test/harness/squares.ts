/**
 * A drawn clip in which squares cross each other and one passes behind a pillar for a second, and a detector that reads its pixels.
 */

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Job } from './kill-run.ts';

export const SIZE = { width: 24, height: 48 } as const;
export const PICTURE = { width: 320, height: 180, fps: 30, seconds: 3.4 } as const;
const SPEED = 80;
/** Each has a grey of its own; who comes later in the list is in front. */
export const OBJECTS = [
  { id: 1, grey: 70, x: 10, y: 20, direction: 1 },
  { id: 2, grey: 110, x: PICTURE.width - 10 - SIZE.width, y: 34, direction: -1 },
  { id: 3, grey: 160, x: 10, y: 112, direction: 1 },
] as const;
/** As wide as hides an object for 0.9 s, from its first pixel behind it to its last. */
export const PILLAR = { x: 136, y: 100, width: 48, height: 72 } as const;

export const xAt = ({ x, direction }: (typeof OBJECTS)[number], seconds: number): number =>
  x + direction * SPEED * seconds;

/** A module that finds each grey, in `holdMs` or longer; what is partly hidden it does not report. */
export const squaresDetector = (holdMs = 0): string => `
const GREYS = ${JSON.stringify(OBJECTS.map(({ grey }) => grey))};
export default class Squares {
  async run(frames) {
    await new Promise((resolve) => setTimeout(resolve, ${holdMs}));
    const { data, width } = frames.at(-1);
    const found = GREYS.map(() => ({ count: 0, x1: Infinity, y1: Infinity, x2: 0, y2: 0 }));
    data.forEach((value, at) => {
      const one = found[GREYS.findIndex((grey) => Math.abs(value - grey) <= 8)];
      if (!one) return;
      const x = at % width;
      const y = (at - x) / width;
      one.count += 1;
      Object.assign(one, { x1: Math.min(one.x1, x), y1: Math.min(one.y1, y), x2: Math.max(one.x2, x + 1), y2: Math.max(one.y2, y + 1) });
    });
    const whole = found.filter(({ count }) => count >= ${0.95 * SIZE.width * SIZE.height});
    return {
      boxes: whole.map(({ x1, y1, x2, y2 }) => [x1, y1, x2, y2]),
      scores: whole.map(() => 0.9),
      labels: whole.map(() => 'square'),
      classIds: whole.map(() => 0),
    };
  }
}`;

const colour = (grey: number, { width, height }: { readonly width: number; readonly height: number }): string =>
  `color=c=0x${grey.toString(16).repeat(3)}:s=${width}x${height}:r=${PICTURE.fps}:d=${PICTURE.seconds}`;

const overlays = OBJECTS.map(
  (one, i) =>
    `[${i === 0 ? '0' : `o${i}`}][${i + 1}]overlay=x='${one.x}+${one.direction * SPEED}*t':y=${one.y}:eval=frame[o${i + 1}]`,
);
const pillar = `[o${OBJECTS.length}][${OBJECTS.length + 1}]overlay=x=${PILLAR.x}:y=${PILLAR.y}`;

/** Of ffmpeg, to draw it, without the name of the file. */
export const SQUARES: readonly string[] = [
  ...[colour(20, PICTURE), ...OBJECTS.map(({ grey }) => colour(grey, SIZE)), colour(230, PILLAR)].flatMap((input) => [
    '-f',
    'lavfi',
    '-i',
    input,
  ]),
  '-filter_complex',
  [...overlays, pillar].join(';'),
  ...['-c:v', 'libx264', '-qp', '0', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'],
];

/** The job that follows the squares of a clip that is played over and over: for a system under which something is killed. */
export function followedSquares(directory: string, { seconds = 2 * PICTURE.seconds, holdMs = 15 } = {}): Job {
  const [once, clip, module] = ['once.mp4', 'squares.mp4', 'squares.mjs'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  const ffmpeg = (...args: readonly string[]): unknown =>
    execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args]);
  ffmpeg(...SQUARES, once);
  ffmpeg('-stream_loop', '-1', '-i', once, '-t', String(seconds), '-c', 'copy', clip);
  writeFileSync(module, squaresDetector(holdMs));
  return {
    algorithms: [
      { name: 'squares', use: module, intervalFrames: 1 },
      { name: 'tracks', use: 'byte-track', after: 'squares', frameCount: 0 },
    ],
    streams: [{ id: 'squares', source: clip, pixelFormat: 'gray' }],
  };
}
