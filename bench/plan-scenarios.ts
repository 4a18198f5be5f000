/**
 * What is played to measure a curve of costs, and the one that the curve is tried on. Each of the first varies what costs: pictures decoded and
 * their size, frames published and theirs, windows, algorithms over the same frames. All fit into two cores.
 */

import { join } from 'node:path';

export type CameraClip = { readonly codec: 'h264' | 'hevc' | 'mjpeg'; readonly width: number; readonly height: number };

export type PlanScenario = {
  readonly name: string;
  readonly cameras: number;
  readonly clip: CameraClip;
  /** As the configuration has them. */
  readonly played: { readonly fps: number; readonly width: number; readonly height: number };
  readonly algorithms: readonly Readonly<Record<string, unknown>>[];
};

/** Pictures a second that every clip has. */
export const CLIP_RATE = 25;

const HD = { width: 1920, height: 1080 } as const;
const HALF_HD = { width: 1280, height: 720 } as const;
const SMALL = { width: 640, height: 360 } as const;

const NOTHING = join(import.meta.dirname, 'nothing.mjs');
/** @param count so many algorithms, due at every frame. */
const nothing = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ name: `nothing-${at}`, use: NOTHING, expectedMs: 0.001 }));

const DEMO = join(import.meta.dirname, '..', 'examples', 'demo');
/** The demo's model. */
const detector = (intervalFrames: number) => ({
  name: 'shapes',
  use: 'onnx-detector',
  options: { model: join(DEMO, 'shapes.onnx'), family: 'yolov8', labels: join(DEMO, 'labels.txt') },
  intervalFrames,
});

const h264 = (size: Omit<CameraClip, 'codec'>): CameraClip => ({ codec: 'h264', ...size });
const at = (fps: number, width: number, height: number): PlanScenario['played'] => ({ fps, width, height });

export const MEASURED_SCENARIOS: readonly PlanScenario[] = [
  { name: 'idle', cameras: 0, clip: h264(SMALL), played: at(1, 160, 90), algorithms: nothing(1) },
  { name: 'large pictures', cameras: 3, clip: h264(HD), played: at(1, 320, 180), algorithms: nothing(1) },
  { name: 'small pictures', cameras: 8, clip: h264(SMALL), played: at(1, 160, 90), algorithms: nothing(1) },
  { name: 'large frames', cameras: 2, clip: h264(HALF_HD), played: at(12.5, 1280, 720), algorithms: nothing(1) },
  { name: 'large frames, twice', cameras: 2, clip: h264(HALF_HD), played: at(6.25, 1280, 720), algorithms: nothing(2) },
  { name: 'many frames', cameras: 4, clip: h264(SMALL), played: at(12.5, 640, 360), algorithms: nothing(1) },
  { name: 'many small frames', cameras: 6, clip: h264(SMALL), played: at(12.5, 320, 180), algorithms: nothing(1) },
  { name: 'many windows', cameras: 6, clip: h264(SMALL), played: at(12.5, 64, 36), algorithms: nothing(2) },
  { name: 'scaled', cameras: 3, clip: h264(HD), played: at(6.25, 640, 360), algorithms: nothing(1) },
  { name: 'large HEVC', cameras: 2, clip: { codec: 'hevc', ...HD }, played: at(1, 320, 180), algorithms: nothing(1) },
  { name: 'small HEVC', cameras: 6, clip: { codec: 'hevc', ...SMALL }, played: at(1, 160, 90), algorithms: nothing(1) },
  { name: 'large JPEG', cameras: 2, clip: { codec: 'mjpeg', ...HD }, played: at(1, 320, 180), algorithms: nothing(1) },
  {
    name: 'small JPEG',
    cameras: 6,
    clip: { codec: 'mjpeg', ...SMALL },
    played: at(1, 160, 90),
    algorithms: nothing(1),
  },
  { name: 'a model', cameras: 2, clip: h264(SMALL), played: at(1, 320, 180), algorithms: [detector(1)] },
];

/** Of other sizes, rates and counts than those above, with a model. */
export const TRIED_SCENARIO: PlanScenario = {
  name: 'six cameras, a detector and statistics',
  cameras: 6,
  clip: h264(HALF_HD),
  played: at(5, 480, 270),
  algorithms: [detector(5), { name: 'picture', use: 'frame-stats', intervalFrames: 2 }],
};
