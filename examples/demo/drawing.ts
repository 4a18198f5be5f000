/**
 * Draws a scene into pixels and says what can be seen of each item.
 *
 * Edges are smoothed by the signed distance of the outline, every item casts a soft shadow, the nearer covers the
 * farther, and grain comes last. The same scene gives the same bytes everywhere (elementary.ts).
 */
import { floorOf } from './backdrop.ts';
import { cosine, sine } from './elementary.ts';
import { paintItem } from './paint.ts';
import { scramble } from './random.ts';
import type { Item, Scene } from './scene.ts';
import { distanceTo, radiusOf } from './shape.ts';

export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** rgb24: height × width × 3. */
  readonly pixels: Uint8Array;
  /** For each item of the scene the share of its own area that is inside the frame and not covered, 0 to 1. */
  readonly visible: readonly number[];
}

const NOBODY = 255;

/** Draws the scene at `width` pixels across; the height follows from the scene's shape. */
export function drawScene(scene: Scene, width: number): Drawing {
  const scale = width / scene.width;
  const height = Math.round(scene.height * scale);
  const canvas = new Float32Array(width * height * 3);
  const owner = new Uint8Array(width * height).fill(NOBODY);
  fillBackdrop(scene, canvas, width, height, scale);
  const areas = scene.items.map((item, index) => {
    castShadow(item, canvas, width, height, scale);
    return fillItem(item, index, canvas, owner, width, height, scale);
  });
  const seen = new Array<number>(scene.items.length).fill(0);
  for (const index of owner) if (index !== NOBODY) seen[index] = (seen[index] as number) + 1;
  return {
    width,
    height,
    pixels: quantise(canvas, scene.grain, scene.grainSeed),
    visible: areas.map((area, index) => (area === 0 ? 0 : (seen[index] as number) / area)),
  };
}

function fillBackdrop(scene: Scene, canvas: Float32Array, width: number, height: number, scale: number): void {
  const { dark, light } = scene.backdrop;
  const floor = floorOf(scene.backdrop, scene.width, scene.height);
  let at = 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const t = floor((column + 0.5) / scale, (row + 0.5) / scale);
      canvas[at++] = dark[0] + (light[0] - dark[0]) * t;
      canvas[at++] = dark[1] + (light[1] - dark[1]) * t;
      canvas[at++] = dark[2] + (light[2] - dark[2]) * t;
    }
  }
}

function castShadow(item: Item, canvas: Float32Array, width: number, height: number, scale: number): void {
  if (item.shape === 'drop') return;
  const shifted = { ...item, x: item.x + 0.05 * item.size, y: item.y + 0.07 * item.size };
  visitItem(shifted, width, height, scale, 0.08, (pixel, _u, _v, _x, _y, distance) => {
    if (pixel < 0) return;
    const depth = Math.max(0, Math.min(1, 0.5 - distance / 0.14));
    const kept = 1 - 0.42 * depth;
    for (let c = pixel * 3; c < pixel * 3 + 3; c++) canvas[c] = (canvas[c] as number) * kept;
  });
}

/** Returns the item's own area in pixels, what is outside the frame included. */
function fillItem(
  item: Item,
  index: number,
  canvas: Float32Array,
  owner: Uint8Array,
  width: number,
  height: number,
  scale: number,
): number {
  const colour = new Float32Array(3);
  const pixelsPerSide = item.size * scale;
  const soft = item.shape === 'drop';
  let area = 0;
  visitItem(item, width, height, scale, 1 / pixelsPerSide, (pixel, u, v, x, y, distance) => {
    if (distance < 0) area++;
    if (pixel < 0) return;
    const cover = soft ? 0.8 * Math.min(1, Math.max(0, -2.5 * distance)) : edge(distance * pixelsPerSide);
    if (cover <= 0) return;
    if (cover > 0.5) owner[pixel] = index;
    paintItem(item, u, v, x, y, distance, colour);
    // The rim is darker: it sets an object off from a floor of its own colour.
    const rim = soft ? 1 : 1 - 0.3 * edge(-(distance * pixelsPerSide + 1.2));
    for (let c = 0; c < 3; c++) {
      const at = pixel * 3 + c;
      canvas[at] = (canvas[at] as number) * (1 - cover) + (colour[c] as number) * rim * cover;
    }
  });
  return area;
}

/** Share of a pixel inside an edge `distance` pixels away, negative inside. */
function edge(distance: number): number {
  return Math.max(0, Math.min(1, 0.5 - distance));
}

type Visit = (pixel: number, u: number, v: number, x: number, y: number, distance: number) => void;

/** Calls `visit` for every pixel within `margin` (long sides) of the item; `pixel` is −1 outside the frame. */
function visitItem(item: Item, width: number, height: number, scale: number, margin: number, visit: Visit): void {
  const c = cosine(item.angle);
  const s = sine(item.angle);
  const { left, top, right, bottom } = reach(item, scale, margin);
  for (let row = top; row <= bottom; row++) {
    const y = ((row + 0.5) / scale - item.y) / item.size;
    for (let column = left; column <= right; column++) {
      const x = ((column + 0.5) / scale - item.x) / item.size;
      const u = c * x + s * y;
      const v = c * y - s * x;
      const distance = distanceTo(item.shape, item.aspect, u, v);
      if (distance > margin) continue;
      const inside = row >= 0 && row < height && column >= 0 && column < width;
      visit(inside ? row * width + column : -1, u, v, x, y, distance);
    }
  }
}

/** Pixels that the item may touch, however it is turned. */
function reach(
  item: Item,
  scale: number,
  margin: number,
): { left: number; top: number; right: number; bottom: number } {
  const radius = (radiusOf(item.shape) + margin) * item.size * scale;
  return {
    left: Math.floor(item.x * scale - radius),
    top: Math.floor(item.y * scale - radius),
    right: Math.ceil(item.x * scale + radius),
    bottom: Math.ceil(item.y * scale + radius),
  };
}

function quantise(canvas: Float32Array, grain: number, seed: number): Uint8Array {
  const pixels = new Uint8Array(canvas.length);
  for (let i = 0; i < canvas.length; i++) {
    const noisy = (canvas[i] as number) + (grain > 0 ? grain * bell(scramble(seed + i)) : 0);
    pixels[i] = Math.max(0, Math.min(255, Math.round(noisy * 255)));
  }
  return pixels;
}

/** Bell-shaped with mean 0 and variance 1 out of 32 random bits: the sum of the four bytes. */
function bell(bits: number): number {
  return ((bits & 255) + ((bits >> 8) & 255) + ((bits >> 16) & 255) + (bits >>> 24) - 510) / 147.8;
}
