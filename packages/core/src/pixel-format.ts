/** Layouts of a frame's bytes. The same four that `@stream-infer/algorithm` documents for authors. */

export const PIXEL_FORMATS = ['bgr24', 'rgb24', 'gray', 'yuv420p'] as const;

export type PixelFormat = (typeof PIXEL_FORMATS)[number];

/** Bytes of one frame without padding; odd sizes round yuv420p's chroma planes up. */
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
