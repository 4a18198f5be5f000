/**
 * Rows of a planar yuv420p picture, resized and converted to RGB: each plane is resized on its own to the target, so
 * that no full-size RGB picture is ever made. BT.601, limited range: what ffmpeg makes of a source that says nothing
 * else. Chroma is sited in the middle of its four luma pixels.
 */
import { Resampler, type RowReader } from './resampler.ts';

export class Yuv420pRows implements RowReader {
  readonly components = 'rgb';
  readonly bytes: Uint8Array;
  readonly offset = 0;
  readonly #luma: Resampler;
  readonly #chromaU: Resampler;
  readonly #chromaV: Resampler;
  readonly #uStart: number;
  readonly #vStart: number;
  /** The bytes of `bytes`, clamped as they are written. */
  readonly #rgb: Uint8ClampedArray;

  constructor(width: number, height: number, targetWidth: number, targetHeight: number) {
    const chroma = { width: Math.ceil(width / 2), height: Math.ceil(height / 2), bytesPerPixel: 1 } as const;
    const chromaStep = { x: width / targetWidth / 2, y: height / targetHeight / 2 };
    this.#luma = new Resampler({ width, height, bytesPerPixel: 1 }, targetWidth, targetHeight);
    this.#chromaU = new Resampler(chroma, targetWidth, targetHeight, chromaStep);
    this.#chromaV = new Resampler(chroma, targetWidth, targetHeight, chromaStep);
    this.#uStart = width * height;
    this.#vStart = this.#uStart + chroma.width * chroma.height;
    this.#rgb = new Uint8ClampedArray(targetWidth * 3);
    this.bytes = new Uint8Array(this.#rgb.buffer);
  }

  begin(data: Uint8Array): void {
    this.#luma.begin(data);
    this.#chromaU.begin(data, this.#uStart);
    this.#chromaV.begin(data, this.#vStart);
  }

  seek(row: number): void {
    this.#luma.seek(row);
    this.#chromaU.seek(row);
    this.#chromaV.seek(row);
    convertRow(this.#luma, this.#chromaU, this.#chromaV, this.#rgb);
  }
}

/** BT.601 in 8-bit fixed point: 298/256 = 255/219, and so on. */
function convertRow(luma: Resampler, chromaU: Resampler, chromaV: Resampler, rgb: Uint8ClampedArray): void {
  const { bytes: yBytes, offset: yStart } = luma;
  const { bytes: uBytes, offset: uStart } = chromaU;
  const { bytes: vBytes, offset: vStart } = chromaV;
  for (let x = 0, at = 0; at < rgb.length; x++, at += 3) {
    const y = 298 * ((yBytes[yStart + x] as number) - 16) + 128;
    const u = (uBytes[uStart + x] as number) - 128;
    const v = (vBytes[vStart + x] as number) - 128;
    rgb[at] = (y + 409 * v) >> 8;
    rgb[at + 1] = (y - 100 * u - 208 * v) >> 8;
    rgb[at + 2] = (y + 516 * u) >> 8;
  }
}
