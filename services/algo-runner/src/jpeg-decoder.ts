/**
 * JPEG frames to pixels. libvips decodes on threads of its own, so that neither the runner's event loop nor an algorithm's
 * thread waits for it; it is loaded with the first JPEG frame, because most streams are raw.
 */

import { Fault } from '@stream-infer/core/fault';
import type { PixelFormat } from '@stream-infer/core/pixel-format';
import { convertPicture } from './rgb-pixels.ts';

export type JpegPicture = {
  /** Names the frame in messages. */
  readonly n: number;
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly pixelFormat: PixelFormat;
};

type Sharp = typeof import('sharp')['default'];

let loading: Promise<Sharp> | undefined;

const load = (): Promise<Sharp> => {
  loading ??= import('sharp').then(({ default: sharp }) => {
    // One small picture at a time and never the same one twice: threads and a cache would cost memory alone.
    sharp.concurrency(1);
    sharp.cache(false);
    return sharp;
  });
  return loading;
};

/** The pixels in memory of their own. Throws FRAME_MISMATCH where the bytes are no JPEG of the size that is named. */
export async function decodeJpeg(picture: JpegPicture): Promise<Uint8Array<ArrayBuffer>> {
  const sharp = await load();
  const { data, info } = await sharp(picture.data, { failOn: 'error' })
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Fault('FRAME_MISMATCH', `frame ${picture.n} is said to be JPEG and does not decode: ${reason}`, {
        cause: error,
      });
    });
  if (info.width !== picture.width || info.height !== picture.height) {
    const said = `${picture.width}x${picture.height}`;
    throw new Fault(
      'FRAME_MISMATCH',
      `frame ${picture.n} is a JPEG of ${info.width}x${info.height} and said to be ${said}`,
    );
  }
  const channels = info.channels === 1 ? 1 : 3;
  return convertPicture({ width: info.width, height: info.height, channels, data }, picture.pixelFormat);
}
