/** How a shape's surface takes the light: the colour of one point of it. The light comes from the upper left. */
import type { Rgb } from './colour.ts';
import type { Item } from './scene.ts';
import { starFacet } from './shape.ts';

/** Direction towards the light, of length 1: left, up, and out of the picture. */
const LIGHT = [-0.48, -0.6, 0.64] as const;

/**
 * Writes the colour at (u, v), the shape's own coordinates, to `out`.
 * @param x,y the same point without the shape's turn: the light does not turn with the shape.
 * @param distance to the outline, in long sides, negative inside.
 */
export function paintItem(
  item: Item,
  u: number,
  v: number,
  x: number,
  y: number,
  distance: number,
  out: Float32Array,
): void {
  switch (item.shape) {
    case 'ball':
      paintBall(item, u, v, x, y, out);
      break;
    case 'box':
      paintBox(item, u, v, distance, out);
      break;
    case 'cone':
      paintCone(item, u, v, out);
      break;
    case 'star':
      set(out, item.colour, starFacet(u, v) ? 1.12 : 0.72);
      break;
    default:
      set(out, item.colour, 0.9 - 0.25 * (x + y));
  }
}

function paintBall(item: Item, u: number, v: number, x: number, y: number, out: Float32Array): void {
  const nx = 2 * x;
  const ny = 2 * y;
  const nz = Math.sqrt(Math.max(0, 1 - nx * nx - ny * ny));
  const lit = Math.max(0, nx * LIGHT[0] + ny * LIGHT[1] + nz * LIGHT[2]);
  const striped = item.decoration === 1 ? Math.abs(v + 0.25 * u * u) < 0.1 : item.decoration === 2 && u * v > 0;
  set(out, striped ? item.accent : item.colour, 0.42 + 0.72 * lit);
  // The highlight: the light's mirror image, (2 lit nz − light z), to the 16th power.
  const mirrored = Math.max(0, 2 * lit * nz - LIGHT[2]);
  const p4 = mirrored * mirrored * mirrored * mirrored;
  add(out, 0.55 * p4 * p4 * p4 * p4);
}

function paintBox(item: Item, u: number, v: number, distance: number, out: Float32Array): void {
  if (item.decoration === 0) paintCrate(item, u, v, distance, out);
  else if (item.decoration === 1) paintParcel(item, u, distance, out);
  else paintChest(item, u, v, out);
}

/** A rim of boards, a brace, and boards behind. */
function paintCrate(item: Item, u: number, v: number, distance: number, out: Float32Array): void {
  const board = Math.floor((v + 0.5 * item.aspect) * 8) % 2 === 0 ? 0.62 : 0.7;
  const brace = Math.abs(u * item.aspect - v) < 0.06;
  set(out, item.colour, distance > -0.1 ? 1.05 : brace ? 0.95 : board);
}

/** Tape around the middle. */
function paintParcel(item: Item, u: number, distance: number, out: Float32Array): void {
  if (Math.abs(u) < 0.08) set(out, item.accent, 0.95);
  else set(out, item.colour, distance > -0.05 ? 0.75 : 0.98);
}

/** A lid that catches the light, and a lock. */
function paintChest(item: Item, u: number, v: number, out: Float32Array): void {
  const lid = v < -0.15 * item.aspect;
  if (!lid && Math.abs(u) < 0.07 && v < 0.125 * item.aspect) set(out, item.accent, 0.95);
  else set(out, item.colour, lid ? 1.1 : 0.78);
}

function paintCone(item: Item, u: number, v: number, out: Float32Array): void {
  const halfWidth = v > 0.37 ? 0.45 : 0.09 + 0.253 * (v + 0.5);
  const across = u / halfWidth;
  const light = 1.05 - 0.3 * (across + 0.45) * (across + 0.45);
  const bands = item.decoration;
  const band = (v > -0.16 && v < 0 && bands > 0) || (v > 0.12 && v < 0.25 && bands > 1);
  set(out, band ? item.accent : item.colour, v > 0.37 ? 0.8 : light);
}

function set(out: Float32Array, colour: Rgb, light: number): void {
  out[0] = colour[0] * light;
  out[1] = colour[1] * light;
  out[2] = colour[2] * light;
}

function add(out: Float32Array, light: number): void {
  for (let i = 0; i < 3; i++) out[i] = (out[i] as number) + light;
}
