/** The floor that everything stands on: planks, tiles, cloth or a slope of light, with soft noise over it. */
import { Random } from './random.ts';
import type { Backdrop } from './scene.ts';

const LATTICE = 64;

/** How light the floor is at a point of the scene, 0 (its dark colour) to 1 (its light one). */
export type Floor = (x: number, y: number) => number;

/** The floor of a backdrop over a scene of the given size. */
export function floorOf(backdrop: Backdrop, width: number, height: number): Floor {
  const lattice = latticeOf(backdrop.seed);
  const { pitch, shiftX, shiftY } = backdrop;
  switch (backdrop.pattern) {
    case 'planks':
      return (sceneX, sceneY) => {
        const x = sceneX + shiftX;
        const y = sceneY + shiftY;
        const row = Math.floor(y / pitch);
        const length = pitch * 5;
        const along = x + value(lattice, row, 7) * length;
        const plank = Math.floor(along / length);
        const seam = Math.min(y - row * pitch, along - plank * length);
        const grain = noise(lattice, x / 60, y / 3.1) - 0.5;
        return seam < 2 ? 0 : 0.3 + 0.5 * value(lattice, row * 3 + 1, plank) + 0.45 * grain;
      };
    case 'tiles':
      return (sceneX, sceneY) => {
        const x = sceneX + shiftX;
        const y = sceneY + shiftY;
        const column = Math.floor(x / pitch);
        const row = Math.floor(y / pitch);
        const grout = Math.min(x - column * pitch, y - row * pitch);
        const tone = (column + row) % 2 === 0 ? 0.35 : 0.65;
        return grout < 2 ? 0 : tone + 0.3 * (value(lattice, column, row) - 0.5) + 0.3 * (cloud(lattice, x, y) - 0.5);
      };
    case 'cloth':
      return (sceneX, sceneY) => {
        const x = sceneX + shiftX;
        const y = sceneY + shiftY;
        const thread = noise(lattice, x / 2.7, y / 9) + noise(lattice, y / 2.7, x / 9) - 1;
        return cloud(lattice, x, y) + 0.3 * thread;
      };
    case 'slope':
      return (sceneX, sceneY) => {
        const slope = 0.6 * (sceneX / width) + 0.4 * (sceneY / height);
        return slope + 0.7 * (cloud(lattice, sceneX + shiftX, sceneY + shiftY) - 0.5);
      };
  }
}

function cloud(lattice: Float32Array, x: number, y: number): number {
  return 0.65 * noise(lattice, x / 90, y / 90) + 0.35 * noise(lattice, x / 27 + 11, y / 27 + 5);
}

/** Smooth noise, 0 to 1, one bump per unit, repeated after 64 of them. */
function noise(lattice: Float32Array, x: number, y: number): number {
  const column = Math.floor(x);
  const row = Math.floor(y);
  const fx = x - column;
  const fy = y - row;
  const sx = fx * fx * (3 - 2 * fx);
  const sy = fy * fy * (3 - 2 * fy);
  const upper = value(lattice, column, row) * (1 - sx) + value(lattice, column + 1, row) * sx;
  const lower = value(lattice, column, row + 1) * (1 - sx) + value(lattice, column + 1, row + 1) * sx;
  return upper * (1 - sy) + lower * sy;
}

function value(lattice: Float32Array, column: number, row: number): number {
  return lattice[(row & (LATTICE - 1)) * LATTICE + (column & (LATTICE - 1))] as number;
}

function latticeOf(seed: number): Float32Array {
  const random = new Random(seed);
  return new Float32Array(LATTICE * LATTICE).map(() => random.next());
}
