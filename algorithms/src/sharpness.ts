/**
 * How sharp a picture is: the variance of the Laplacian of its luma, over all pixels that have four neighbours. Blur
 * takes away the second derivative first, so that the figure falls with it; compare it between frames of one camera.
 */
import { roundTo } from './detections.ts';
import type { Picture } from './preprocess/preprocessor.ts';
import { lumaOf } from './preprocess/tensor-writer.ts';

export class SharpnessMeter {
  /** The luma of the last packed picture; kept, because making it anew costs a sixth of the measurement. */
  #luma = new Uint8Array(0);

  /** Rounded to 3 decimals; 0 for a picture of less than 3 × 3 pixels. */
  measure(picture: Picture): number {
    const { width, height } = picture;
    if (width < 3 || height < 3) return 0;
    return roundTo(laplacianVariance(this.#lumaPlane(picture), width, height), 3);
  }

  #lumaPlane({ width, height, pixelFormat, data }: Picture): Uint8Array {
    if (pixelFormat === 'gray' || pixelFormat === 'yuv420p') return data;
    if (this.#luma.length < width * height) this.#luma = new Uint8Array(width * height);
    const luma = this.#luma;
    const red = pixelFormat === 'rgb24' ? 0 : 2;
    const blue = 2 - red;
    for (let at = 0, from = 0; from < data.length; at++, from += 3) {
      luma[at] = lumaOf(data[from + red] as number, data[from + 1] as number, data[from + blue] as number);
    }
    return luma;
  }
}

/** Sums of integers in one pass, so that nothing depends on the order of additions. */
function laplacianVariance(luma: Uint8Array, width: number, height: number): number {
  let sum = 0;
  let squares = 0;
  for (let row = 1; row < height - 1; row++) {
    const start = row * width;
    const end = start + width - 1;
    let left = luma[start] as number;
    let here = luma[start + 1] as number;
    for (let at = start + 1; at < end; at++) {
      const right = luma[at + 1] as number;
      const value = (luma[at - width] as number) + (luma[at + width] as number) + left + right - 4 * here;
      left = here;
      here = right;
      sum += value;
      squares += Math.imul(value, value);
    }
  }
  const count = (width - 2) * (height - 2);
  const mean = sum / count;
  return squares / count - mean * mean;
}
