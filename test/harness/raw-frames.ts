/**
 * Frames of a video as an algorithm is handed them, straight from ffmpeg and through nothing of the product: what the
 * algorithms make of a video is checked apart from how the pipeline carries it.
 */
import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { bytesPerFrame, type Frame, type PixelFormat } from '@stream-infer/algorithm';

export type RawFrameOptions = {
  readonly pixelFormat?: PixelFormat;
  /** Every so many frames only, beginning with the first. */
  readonly every?: number;
  /** Size to scale to; the source's own unless given. */
  readonly width?: number;
  readonly height?: number;
  /** Frames to stop after. */
  readonly limit?: number;
};

/** The frames of the first video stream, in display order; `index` is the number in the source. */
export async function* rawFrames(path: string, options: RawFrameOptions = {}): AsyncGenerator<Frame> {
  const { pixelFormat = 'bgr24', every = 1, limit } = options;
  const source = await sizeOf(path);
  const width = options.width ?? source.width;
  const height = options.height ?? source.height;
  const size = bytesPerFrame(pixelFormat, width, height);
  const filters = [`select=not(mod(n\\,${every}))`];
  if (width !== source.width || height !== source.height) filters.push(`scale=${width}:${height}:flags=bilinear`);
  const input = ['-v', 'error', '-nostdin', '-i', path, '-map', '0:v:0', '-vf', filters.join(',')];
  const frameLimit = limit === undefined ? [] : ['-frames:v', String(limit)];
  const output = [...frameLimit, '-fps_mode', 'passthrough', '-pix_fmt', pixelFormat, '-f', 'rawvideo', '-'];
  const ffmpeg = spawn('ffmpeg', [...input, ...output], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    let count = 0;
    for await (const data of chunksOf(ffmpeg.stdout, size)) {
      const index = count * every;
      count++;
      yield {
        index,
        n: count,
        position: count,
        timestampMs: index,
        width,
        height,
        pixelFormat,
        data,
        sourceWidth: source.width,
        sourceHeight: source.height,
      };
    }
  } finally {
    ffmpeg.kill('SIGKILL');
  }
}

async function* chunksOf(stream: AsyncIterable<Buffer>, size: number): AsyncGenerator<Uint8Array> {
  let chunk = new Uint8Array(size);
  let filled = 0;
  for await (const buffer of stream) {
    let at = 0;
    while (at < buffer.length) {
      const part = buffer.subarray(at, at + size - filled);
      chunk.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled === size) {
        yield chunk;
        chunk = new Uint8Array(size);
        filled = 0;
      }
    }
  }
}

async function sizeOf(path: string): Promise<{ readonly width: number; readonly height: number }> {
  const entries = ['-show_entries', 'stream=width,height', '-of', 'csv=p=0'];
  const { stdout } = await promisify(execFile)('ffprobe', ['-v', 'error', '-select_streams', 'v:0', ...entries, path]);
  const [width, height] = stdout.trim().split('\n')[0]?.split(',').map(Number) ?? [];
  if (width === undefined || height === undefined) throw new Error(`ffprobe says nothing of the size of ${path}`);
  return { width, height };
}
