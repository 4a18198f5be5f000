/** Adam: each number moves by its mean slope over the size that its slopes usually have. */
import type { Parameters } from './convolution.ts';

const MEAN_KEPT = 0.9;
const SQUARE_KEPT = 0.999;
const TINY = 1e-8;

interface Moments {
  readonly mean: Float32Array;
  readonly square: Float32Array;
}

export class Adam {
  readonly #parameters: readonly Float32Array[];
  readonly #gradients: readonly Float32Array[];
  readonly #moments: readonly Moments[];
  #meanLeft = 1;
  #squareLeft = 1;

  /** @param parameters and @param gradients of equal shapes; both stay the caller's, and are changed in place. */
  constructor(parameters: readonly Parameters[], gradients: readonly Parameters[]) {
    this.#parameters = parameters.flatMap((one) => [one.weights, one.bias]);
    this.#gradients = gradients.flatMap((one) => [one.weights, one.bias]);
    this.#moments = this.#parameters.map(({ length }) => ({
      mean: new Float32Array(length),
      square: new Float32Array(length),
    }));
  }

  /** One step along the gradients, which it sets back to 0. */
  step(rate: number): void {
    this.#meanLeft *= MEAN_KEPT;
    this.#squareLeft *= SQUARE_KEPT;
    const scale = rate / (1 - this.#meanLeft);
    const squareScale = 1 / (1 - this.#squareLeft);
    this.#parameters.forEach((values, index) => {
      const slopes = this.#gradients[index] as Float32Array;
      const { mean, square } = this.#moments[index] as Moments;
      for (let i = 0; i < values.length; i++) {
        const slope = slopes[i] as number;
        const m = MEAN_KEPT * (mean[i] as number) + (1 - MEAN_KEPT) * slope;
        const s = SQUARE_KEPT * (square[i] as number) + (1 - SQUARE_KEPT) * slope * slope;
        mean[i] = m;
        square[i] = s;
        values[i] = (values[i] as number) - (scale * m) / (Math.sqrt(s * squareScale) + TINY);
      }
      slopes.fill(0);
    });
  }
}
