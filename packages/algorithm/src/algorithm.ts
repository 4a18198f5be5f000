/**
 * What an author of an algorithm sees: frames in, JSON out. Nothing of the bus, gRPC or the services is here,
 * so an algorithm is tested by calling it.
 */

/** How a frame's bytes are laid out. `bgr24` and `rgb24` are packed (3 bytes a pixel, row after row, no padding),
 * `gray` is 1 byte a pixel, `yuv420p` is planar: the full luma plane, then U, then V at half width and half height. */
export type PixelFormat = 'bgr24' | 'rgb24' | 'gray' | 'yuv420p';

/** Everything that `run` may return. `NaN`, `Infinity`, `undefined`, functions and cycles are refused by the runner. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One frame of a window, as the algorithm is handed it. */
export interface Frame {
  /** Number of the frame in its source, from 0, in display order as decoded. */
  readonly index: number;
  /** Number of the frame among the played ones; the first is 1, with a start position p it is floor(fps × p) + 1. */
  readonly n: number;
  /** n / fps, in seconds. */
  readonly position: number;
  /** Presentation time in the source, in milliseconds. */
  readonly timestampMs: number;
  /** Wall clock at capture in milliseconds since 1970; realtime streams only. */
  readonly capturedAtMs?: number;
  /** Pixels in `data`. */
  readonly width: number;
  readonly height: number;
  readonly pixelFormat: PixelFormat;
  /** The pixels, `bytesPerFrame(pixelFormat, width, height)` of them. Do not write to it: windows share frames. */
  readonly data: Uint8Array;
  /** The decoded picture after rotation, before it was scaled to width × height. Boxes are in pixels of this picture. */
  readonly sourceWidth: number;
  readonly sourceHeight: number;
}

/** A logger with levels; what is logged carries the algorithm's name. */
export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** What a model runs on. */
export type Device = 'cpu' | 'gpu';

/** What an instance knows about itself for as long as it lives. */
export interface AlgorithmContext {
  /** The algorithm's name in the configuration. */
  readonly name: string;
  /** `options` of the configuration, as written there. */
  readonly options: Readonly<Record<string, Json>>;
  readonly logger: Logger;
  /** A path of the configuration made absolute: relative ones are relative to the configuration file. */
  resolvePath(path: string): string;
  /** The most windows that `runBatch` is handed; 1 where absent. */
  readonly maxBatch?: number;
  /** Where the runner wants a model to run whose options do not say; the CPU where absent. */
  readonly device?: Device;
  /** Whether `init` is to throw where a GPU is wanted and cannot be had, rather than to run on the CPU. */
  readonly requireGpu?: boolean;
  /** Tells, in `init`, where the model runs, for the runner's metrics; and where that is not where it should, why. */
  placed?(device: Device, problem?: string): void;
  /** Adds to how long a stage of the window or batch that runs took, for the runner's metrics. */
  spent?(stage: Stage, durationMs: number): void;
}

/** What an algorithm's time goes into: making its input of frames, running its model, making its result of the outputs. */
export type Stage = 'preprocess' | 'infer' | 'postprocess';

/** What an instance knows about one invocation. */
export interface RunContext extends AlgorithmContext {
  /** The stream's id. */
  readonly stream: string;
  /** n of the window's newest frame. */
  readonly n: number;
  /** The time key that the result will stand under, e.g. `"12.5"`. */
  readonly key: string;
  /** What the algorithms that this one comes `after` returned for the same frame, by algorithm name. */
  readonly inputs: Readonly<Record<string, Json>>;
}

/** An algorithm. One instance runs one window (or one batch) at a time; `concurrency` instances run side by side. */
export interface Algorithm {
  /** Called once, before the first window: load models here. A throw keeps the runner from taking any work. */
  init?(context: AlgorithmContext): void | Promise<void>;
  /** One window, oldest frame first. A throw becomes this window's error result. */
  run(frames: readonly Frame[], context: RunContext): Json | Promise<Json>;
  /**
   * Several windows at once, of any streams; the i-th result answers the i-th window. Needed where `maxBatch` is more than 1. A batch of
   * one window goes to `run`, and so does, one by one, each window of a batch that failed.
   */
  runBatch?(
    windows: readonly (readonly Frame[])[],
    contexts: readonly RunContext[],
  ): readonly Json[] | Promise<readonly Json[]>;
  /**
   * All that it remembers of its stream, for an algorithm with `state: stream`: so that another instance can go on where this one
   * stood. At most 1 MiB. Called between windows.
   */
  snapshot?(): Uint8Array | Promise<Uint8Array>;
  /** What a `snapshot` gave, handed to a new instance after `init` and before its first window. */
  restore?(bytes: Uint8Array): void | Promise<void>;
  /** Called once, after the last window. */
  close?(): void | Promise<void>;
}

/** `stream`: an instance for each stream, which gets its windows in order. `none`: any instance takes any window. */
export type AlgorithmState = 'none' | 'stream';

export interface AlgorithmConstructor {
  new (): Algorithm;
  /** Where the configuration does not say. `none` unless given. */
  readonly state?: AlgorithmState;
}

/** The one shape of detections: the i-th entry of each list speaks of the i-th box. */
export type Detections = {
  /** `[x1, y1, x2, y2]` in pixels of the source picture. */
  readonly boxes: readonly (readonly [number, number, number, number])[];
  /** 0 to 1. */
  readonly scores: readonly number[];
  readonly labels: readonly string[];
  readonly classIds: readonly number[];
};

/** Detections of objects that are followed from picture to picture. */
export type TrackedDetections = Detections & {
  /** Whole numbers from 1; an object keeps its own for as long as it is followed, and none is given twice. */
  readonly trackIds: readonly number[];
};

/** Bytes of one frame: packed formats 3 a pixel, gray 1, yuv420p 1.5 (odd sizes round the chroma planes up). */
export function bytesPerFrame(pixelFormat: PixelFormat, width: number, height: number): number {
  switch (pixelFormat) {
    case 'bgr24':
    case 'rgb24':
      return width * height * 3;
    case 'gray':
      return width * height;
    case 'yuv420p':
      return width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2);
  }
}
