/** Pixels as the network takes them: planes of red, green and blue, 0 to 1, centred in its input on grey. */
import { type FeatureMap, featureMap } from './convolution.ts';
import type { Drawing } from './drawing.ts';
import type { Truth } from './sample.ts';

export const INPUT_WIDTH = 320;
export const INPUT_HEIGHT = 192;
const GREY = 114 / 255;

/** Where a picture stands in the input: x in the input = x in the picture × scale + left. */
export interface Placement {
  readonly scale: number;
  readonly left: number;
  readonly top: number;
}

/**
 * @param drawing whose sides are a whole multiple of what they are in the input: each input pixel is the mean of a
 * square of its pixels.
 */
export function placePicture(
  drawing: Pick<Drawing, 'width' | 'height' | 'pixels'>,
  width: number,
  height: number,
): { input: FeatureMap; placement: Placement } {
  const reduction = Math.max(drawing.width / width, drawing.height / height);
  const columns = drawing.width / reduction;
  const rows = drawing.height / reduction;
  if (!Number.isInteger(reduction) || !Number.isInteger(columns) || !Number.isInteger(rows)) {
    throw new RangeError(`a ${drawing.width}×${drawing.height} picture does not fit ${width}×${height} in whole steps`);
  }
  const left = (width - columns) / 2;
  const top = (height - rows) / 2;
  const input = featureMap(3, height, width);
  input.data.fill(GREY);
  for (let channel = 0; channel < 3; channel++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const mean = meanOf(drawing, column * reduction, row * reduction, reduction, channel);
        input.data[(channel * height + row + top) * width + column + left] = mean / 255;
      }
    }
  }
  return { input, placement: { scale: 1 / reduction, left, top } };
}

/** The truths of a picture, in pixels of the input. */
export function placeTruths(truths: readonly Truth[], { scale, left, top }: Placement): Truth[] {
  return truths.map((truth) => ({
    ...truth,
    x1: truth.x1 * scale + left,
    y1: truth.y1 * scale + top,
    x2: truth.x2 * scale + left,
    y2: truth.y2 * scale + top,
  }));
}

function meanOf(
  { width, pixels }: Pick<Drawing, 'width' | 'pixels'>,
  x: number,
  y: number,
  side: number,
  channel: number,
): number {
  let sum = 0;
  for (let row = y; row < y + side; row++) {
    for (let column = x; column < x + side; column++) sum += pixels[(row * width + column) * 3 + channel] as number;
  }
  return sum / (side * side);
}
