/**
 * The straight line through samples over time, and how well it is known. Samples of a process's memory hang together, so that there are fewer
 * independent ones than there are samples: the error is widened by the correlation of neighbouring residuals.
 */

export type Point = { readonly at: number; readonly value: number };

/** Per unit of `at`. NaN where there are too few points to tell. */
export type Trend = { readonly slope: number; readonly error: number };

/** Beyond this the factor says nothing any more. */
const MOST_CORRELATION = 0.99;

export function trendOf(points: readonly Point[]): Trend {
  if (points.length < 3) return { slope: Number.NaN, error: Number.NaN };
  const [at, value] = [mean(points.map((point) => point.at)), mean(points.map((point) => point.value))];
  const spread = sum(points.map((point) => (point.at - at) ** 2));
  const slope = sum(points.map((point) => (point.at - at) * (point.value - value))) / spread;
  const residuals = points.map((point) => point.value - value - slope * (point.at - at));
  const squares = sum(residuals.map((residual) => residual ** 2));
  const neighbours = sum(residuals.slice(1).map((residual, before) => residual * (residuals[before] ?? 0)));
  const correlation = squares === 0 ? 0 : Math.min(MOST_CORRELATION, Math.max(0, neighbours / squares));
  const error = Math.sqrt(squares / (points.length - 2) / spread) * Math.sqrt((1 + correlation) / (1 - correlation));
  return { slope, error };
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
export const mean = (values: readonly number[]): number => sum(values) / values.length;
/** The upper one of two in the middle. */
export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
