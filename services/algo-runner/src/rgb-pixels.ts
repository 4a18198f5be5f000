/**
 * Pixels that came out of a picture decoder, red green blue or grey alone, in the layout that a frame names. Luma and chroma
 * are those of BT.601, as JPEG defines them; `yuv420p` in video range, as video has it.
 */

import { bytesPerFrame, type PixelFormat } from '@stream-infer/core/pixel-format';

export type DecodedPicture = {
  readonly width: number;
  readonly height: number;
  /** 3: red, green, blue. 1: grey. */
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
};

/** The picture in `pixelFormat`, in memory of its own. */
export function convertPicture(picture: DecodedPicture, pixelFormat: PixelFormat): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytesPerFrame(pixelFormat, picture.width, picture.height));
  switch (pixelFormat) {
    case 'rgb24':
      writePacked(picture, out, 0);
      break;
    case 'bgr24':
      writePacked(picture, out, 2);
      break;
    case 'gray':
      writeGray(picture, out);
      break;
    case 'yuv420p':
      writeYuv420p(picture, out);
      break;
  }
  return out;
}

/** @param red where red stands among the three bytes of a pixel; blue stands opposite. */
function writePacked({ data, channels, width, height }: DecodedPicture, out: Uint8Array, red: 0 | 2): void {
  if (channels === 3 && red === 0) {
    out.set(data.subarray(0, out.length));
    return;
  }
  const green = channels === 3 ? 1 : 0;
  const blue = channels === 3 ? 2 : 0;
  for (let at = 0, from = 0; at < width * height * 3; at += 3, from += channels) {
    out[at + red] = data[from] as number;
    out[at + 1] = data[from + green] as number;
    out[at + 2 - red] = data[from + blue] as number;
  }
}

function writeGray({ data, channels }: DecodedPicture, out: Uint8Array): void {
  if (channels === 1) {
    out.set(data.subarray(0, out.length));
    return;
  }
  for (let at = 0, from = 0; at < out.length; at += 1, from += 3) {
    out[at] =
      (77 * (data[from] as number) + 150 * (data[from + 1] as number) + 29 * (data[from + 2] as number) + 128) >> 8;
  }
}

function writeYuv420p({ data, channels, width, height }: DecodedPicture, out: Uint8Array): void {
  const green = channels === 3 ? 1 : 0;
  const blue = channels === 3 ? 2 : 0;
  for (let pixel = 0, from = 0; pixel < width * height; pixel += 1, from += channels) {
    const luma =
      66 * (data[from] as number) + 129 * (data[from + green] as number) + 25 * (data[from + blue] as number);
    out[pixel] = 16 + ((luma + 128) >> 8);
  }
  const chromaWidth = Math.ceil(width / 2);
  const chromaHeight = Math.ceil(height / 2);
  const u = width * height;
  const v = u + chromaWidth * chromaHeight;
  for (let row = 0; row < chromaHeight; row += 1) {
    const above = 2 * row * width;
    // At an odd edge the last row or column counts twice.
    const below = Math.min(2 * row + 1, height - 1) * width;
    for (let column = 0; column < chromaWidth; column += 1) {
      const left = 2 * column;
      const right = Math.min(left + 1, width - 1);
      const [a, b, c, d] = [above + left, above + right, below + left, below + right];
      const mean = (channel: number): number =>
        ((data[a * channels + channel] as number) +
          (data[b * channels + channel] as number) +
          (data[c * channels + channel] as number) +
          (data[d * channels + channel] as number) +
          2) >>
        2;
      const [red, greenMean, blueMean] = [mean(0), mean(green), mean(blue)];
      const at = row * chromaWidth + column;
      out[u + at] = 128 + ((-38 * red - 74 * greenMean + 112 * blueMean + 128) >> 8);
      out[v + at] = 128 + ((112 * red - 94 * greenMean - 18 * blueMean + 128) >> 8);
    }
  }
}
