/**
 * The outlines of everything that is drawn, in a shape's own coordinates: its middle is (0, 0), its long side is 1 and
 * v grows downwards. A shape is its signed distance, negative inside: the edge is smoothed, filled, shaded and cast as a
 * shadow from that one number, and the true box is the outline's own.
 */
import { cosine, sine } from './elementary.ts';

/** What the detector finds, in the order of its classes and of labels.txt. */
export const CLASSES = ['ball', 'box', 'cone', 'star'] as const;
export type ClassName = (typeof CLASSES)[number];

/** What it has to leave alone: some of it is made to be mistaken for a class. */
export const CLUTTER = ['ring', 'bar', 'plus', 'crescent', 'frame', 'drop'] as const;
export type ClutterName = (typeof CLUTTER)[number];

export type ShapeName = ClassName | ClutterName;

/** x and y in turn, around the outline. */
type Polygon = Float64Array;

const CONE: Polygon = Float64Array.of(
  -0.09,
  -0.5,
  0.09,
  -0.5,
  0.31,
  0.37,
  0.45,
  0.37,
  0.45,
  0.5,
  -0.45,
  0.5,
  -0.45,
  0.37,
  -0.31,
  0.37,
);
const PLUS: Polygon = Float64Array.of(
  -0.15,
  -0.5,
  0.15,
  -0.5,
  0.15,
  -0.15,
  0.5,
  -0.15,
  0.5,
  0.15,
  0.15,
  0.15,
  0.15,
  0.5,
  -0.15,
  0.5,
  -0.15,
  0.15,
  -0.5,
  0.15,
  -0.5,
  -0.15,
  -0.15,
  -0.15,
);
const STAR: Polygon = starOutline(0.5, 0.235);

/** Signed distance from (u, v) to the outline, in long sides. `aspect` is short side ÷ long side, where a shape has one. */
export function distanceTo(shape: ShapeName, aspect: number, u: number, v: number): number {
  switch (shape) {
    case 'ball':
      return Math.sqrt(u * u + v * v) - 0.5;
    case 'box':
    case 'bar':
      return rectangleDistance(0.5, 0.5 * aspect, u, v);
    case 'cone':
      return polygonDistance(CONE, u, v);
    case 'star':
      return polygonDistance(STAR, u, v);
    case 'plus':
      return polygonDistance(PLUS, u, v);
    case 'ring':
      return Math.abs(Math.sqrt(u * u + v * v) - 0.41) - 0.09;
    case 'crescent':
      return Math.max(Math.sqrt(u * u + v * v) - 0.5, 0.44 - Math.sqrt((u - 0.24) * (u - 0.24) + v * v));
    case 'frame':
      return Math.abs(rectangleDistance(0.44, 0.44 * aspect, u, v)) - 0.06;
    case 'drop':
      return Math.sqrt(u * u + (v * v) / (aspect * aspect)) - 0.5;
  }
}

/** No point of the shape is farther from its middle, in long sides. */
export function radiusOf(shape: ShapeName): number {
  return shape === 'box' || shape === 'bar' || shape === 'cone' || shape === 'frame' ? 0.71 : 0.53;
}

/** Left, top, right and bottom of the upright box around the turned shape, from its middle, in long sides. */
export function extentOf(shape: ClassName, aspect: number, angle: number): readonly [number, number, number, number] {
  if (shape === 'ball') return [-0.5, -0.5, 0.5, 0.5];
  const points = shape === 'box' ? rectangleOutline(aspect) : shape === 'cone' ? CONE : STAR;
  const c = cosine(angle);
  const s = sine(angle);
  let left = Infinity;
  let top = Infinity;
  let right = -Infinity;
  let bottom = -Infinity;
  for (let i = 0; i < points.length; i += 2) {
    const u = points[i] as number;
    const v = points[i + 1] as number;
    left = Math.min(left, c * u - s * v);
    right = Math.max(right, c * u - s * v);
    top = Math.min(top, s * u + c * v);
    bottom = Math.max(bottom, s * u + c * v);
  }
  return [left, top, right, bottom];
}

/** Which half of an arm of the star (u, v) lies on: the two take the light differently. */
export function starFacet(u: number, v: number): boolean {
  let best = -Infinity;
  let side = false;
  for (let tip = 0; tip < STAR.length; tip += 4) {
    const x = STAR[tip] as number;
    const y = STAR[tip + 1] as number;
    if (u * x + v * y > best) {
      best = u * x + v * y;
      side = x * v - y * u > 0;
    }
  }
  return side;
}

function rectangleDistance(halfWidth: number, halfHeight: number, u: number, v: number): number {
  const du = Math.abs(u) - halfWidth;
  const dv = Math.abs(v) - halfHeight;
  if (du <= 0 || dv <= 0) return Math.max(du, dv);
  return Math.sqrt(du * du + dv * dv);
}

function polygonDistance(points: Polygon, u: number, v: number): number {
  let nearest = Infinity;
  let inside = false;
  let bx = points[points.length - 2] as number;
  let by = points[points.length - 1] as number;
  for (let i = 0; i < points.length; i += 2) {
    const ax = points[i] as number;
    const ay = points[i + 1] as number;
    const ex = bx - ax;
    const ey = by - ay;
    const wx = u - ax;
    const wy = v - ay;
    const along = Math.max(0, Math.min(1, (wx * ex + wy * ey) / (ex * ex + ey * ey)));
    const dx = wx - along * ex;
    const dy = wy - along * ey;
    nearest = Math.min(nearest, dx * dx + dy * dy);
    if (ay > v !== by > v && wx < (ex * wy) / ey) inside = !inside;
    bx = ax;
    by = ay;
  }
  return inside ? -Math.sqrt(nearest) : Math.sqrt(nearest);
}

function rectangleOutline(aspect: number): Polygon {
  const h = 0.5 * aspect;
  return Float64Array.of(-0.5, -h, 0.5, -h, 0.5, h, -0.5, h);
}

function starOutline(outer: number, inner: number): Polygon {
  const points = new Float64Array(20);
  for (let i = 0; i < 10; i++) {
    const radius = i % 2 === 0 ? outer : inner;
    points[2 * i] = radius * sine((i * Math.PI) / 5);
    points[2 * i + 1] = -radius * cosine((i * Math.PI) / 5);
  }
  return points;
}
