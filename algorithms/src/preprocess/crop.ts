/**
 * A rectangle cut out of a picture, as a picture of the same format. Boxes are in pixels of the source picture; what is cut is in
 * those of the frame, which may be smaller.
 */
import type { Frame } from '@stream-infer/algorithm';
import type { Box } from '../detections.ts';

/** Whole pixels of a frame; `right` and `bottom` are the first that do not belong to it. */
export type Rectangle = {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
};

/**
 * Where a box lies in the frame, larger by `margin` times its width and height on each side, rounded outwards and clipped to the
 * frame; in yuv420p it begins at even pixels, as its chroma does. Null where nothing of it is in the frame.
 */
export function cropRectangle([x1, y1, x2, y2]: Box, frame: Frame, margin: number): Rectangle | null {
  const scaleX = frame.width / frame.sourceWidth;
  const scaleY = frame.height / frame.sourceHeight;
  const marginX = (x2 - x1) * margin;
  const marginY = (y2 - y1) * margin;
  const step = frame.pixelFormat === 'yuv420p' ? 2 : 1;
  const begin = (value: number): number => Math.floor(Math.max(0, value) / step) * step;
  const left = begin((x1 - marginX) * scaleX);
  const top = begin((y1 - marginY) * scaleY);
  const right = Math.min(frame.width, Math.ceil((x2 + marginX) * scaleX));
  const bottom = Math.min(frame.height, Math.ceil((y2 + marginY) * scaleY));
  return right > left && bottom > top ? { left, top, right, bottom } : null;
}

/** The frame with the rectangle for its picture; its bytes are copied. */
export function crop(frame: Frame, { left, top, right, bottom }: Rectangle): Frame {
  const size = { width: right - left, height: bottom - top };
  return { ...frame, ...size, data: croppedData(frame, { left, top, ...size }) };
}

type Part = { readonly left: number; readonly top: number; readonly width: number; readonly height: number };

function croppedData({ pixelFormat, width, height, data }: Frame, part: Part): Uint8Array {
  switch (pixelFormat) {
    case 'bgr24':
    case 'rgb24':
      return plane(data, width, part, 3);
    case 'gray':
      return plane(data, width, part, 1);
    case 'yuv420p': {
      const chromaWidth = Math.ceil(width / 2);
      const chromaBytes = chromaWidth * Math.ceil(height / 2);
      const chroma = {
        left: part.left / 2,
        top: part.top / 2,
        width: Math.ceil(part.width / 2),
        height: Math.ceil(part.height / 2),
      };
      const luma = width * height;
      return new Uint8Array(
        Buffer.concat([
          plane(data, width, part, 1),
          plane(data.subarray(luma), chromaWidth, chroma, 1),
          plane(data.subarray(luma + chromaBytes), chromaWidth, chroma, 1),
        ]),
      );
    }
  }
}

/** @param rowPixels of the picture that is cut. */
function plane(
  data: Uint8Array,
  rowPixels: number,
  { left, top, width, height }: Part,
  bytesPerPixel: number,
): Uint8Array {
  const rowBytes = width * bytesPerPixel;
  const cut = new Uint8Array(rowBytes * height);
  for (let row = 0; row < height; row += 1) {
    const from = ((top + row) * rowPixels + left) * bytesPerPixel;
    cut.set(data.subarray(from, from + rowBytes), row * rowBytes);
  }
  return cut;
}
