/**
 * What is to be seen in one frame: a backdrop, and items from the farthest to the nearest. Pure data out of a seed.
 *
 * Lengths are in pixels of a 640 × 360 frame; drawing.ts draws a scene at any scale. An object's long side goes from 32
 * to 128 pixels: × 4.
 */
import { contrast, fromHue, type Rgb } from './colour.ts';
import { cosine, exponential, logarithm, sine } from './elementary.ts';
import { Random } from './random.ts';
import { CLASSES, CLUTTER, type ClutterName, type ShapeName } from './shape.ts';

export const SMALLEST_SIDE = 32;
export const LARGEST_SIDE = 128;

export interface Item {
  readonly shape: ShapeName;
  /** Middle of the shape. */
  readonly x: number;
  readonly y: number;
  /** Long side of the shape before it is turned. */
  readonly size: number;
  /** Radians, clockwise. */
  readonly angle: number;
  /** Short side ÷ long side, for the shapes that have one. */
  readonly aspect: number;
  readonly colour: Rgb;
  /** Second colour: stripes, bands, tape. */
  readonly accent: Rgb;
  /** Which of a shape's decorations is drawn. */
  readonly decoration: number;
}

export const PATTERNS = ['planks', 'tiles', 'cloth', 'slope'] as const;

export interface Backdrop {
  readonly pattern: (typeof PATTERNS)[number];
  readonly dark: Rgb;
  readonly light: Rgb;
  /** Width of a plank or a tile. */
  readonly pitch: number;
  /** How far the pattern has moved. */
  readonly shiftX: number;
  readonly shiftY: number;
  readonly seed: number;
}

export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly backdrop: Backdrop;
  /** Farthest first. */
  readonly items: readonly Item[];
  /** Deviation of the noise on each pixel, 0 to 1. */
  readonly grain: number;
  readonly grainSeed: number;
}

export interface SceneLimits {
  readonly width: number;
  readonly height: number;
  readonly fewestObjects: number;
  readonly mostObjects: number;
  readonly mostClutter: number;
}

export const FULL_FRAME: SceneLimits = { width: 640, height: 360, fewestObjects: 2, mostObjects: 10, mostClutter: 9 };

/** The still scene number `index` of a seed. */
export function stillScene(seed: number, index: number, limits: SceneLimits = FULL_FRAME): Scene {
  const random = new Random(seed, index);
  const backdrop = randomBackdrop(random);
  const count = random.whole(limits.fewestObjects, limits.mostObjects);
  // How closely the objects of this scene may stand, in mean sizes: some scenes are sparse, some full of overlaps.
  const spacing = random.between(0.55, 1);
  const objects: Item[] = [];
  for (let attempt = 0; objects.length < count && attempt < 12 * count; attempt++) {
    let item = randomObject(random, limits, backdrop);
    if (objects.length > 0 && random.chance(0.25)) item = beside(random, item, random.pick(objects));
    if (objects.every((other) => apart(item, other) > spacing)) objects.push(item);
  }
  const items = [...objects];
  const clutter = random.whole(0, limits.mostClutter);
  for (let i = 0; i < clutter; i++) items.push(randomClutter(random, limits, backdrop));
  random.shuffle(items);
  return {
    width: limits.width,
    height: limits.height,
    backdrop,
    items,
    grain: random.chance(0.3) ? 0 : random.between(0, 0.05),
    grainSeed: random.whole(0, 0x7fffffff),
  };
}

/** The item at the edge of another, so that one covers part of the other. */
function beside(random: Random, item: Item, other: Item): Item {
  const direction = random.between(-Math.PI, Math.PI);
  const distance = (random.between(0.55, 0.9) * (item.size + other.size)) / 2;
  return { ...item, x: other.x + distance * cosine(direction), y: other.y + distance * sine(direction) };
}

/** Distance between two middles, in mean sizes. */
function apart(a: Item, b: Item): number {
  const dx = a.x - b.x;
  const dy = a.y - b.y;
  return (2 * Math.sqrt(dx * dx + dy * dy)) / (a.size + b.size);
}

function randomBackdrop(random: Random): Backdrop {
  const hue = random.next();
  const value = random.between(0.12, 0.85);
  const saturation = random.between(0, 0.5);
  return {
    pattern: random.pick(PATTERNS),
    dark: fromHue(hue, saturation, value * random.between(0.55, 0.95)),
    light: fromHue(hue + random.between(-0.08, 0.08), saturation * random.between(0.6, 1), value),
    pitch: random.between(28, 120),
    shiftX: random.between(0, 2000),
    shiftY: random.between(0, 2000),
    seed: random.whole(0, 0x7fffffff),
  };
}

function randomObject(random: Random, limits: SceneLimits, backdrop: Backdrop): Item {
  const shape = random.pick(CLASSES);
  // From one size to its double is as likely as from the double to its double.
  const size = SMALLEST_SIDE * exponential(random.next() * logarithm(LARGEST_SIDE / SMALLEST_SIDE));
  const upright = random.between(-0.45, 0.45);
  return {
    shape,
    x: random.between(0.3 * size, limits.width - 0.3 * size),
    y: random.between(0.3 * size, limits.height - 0.3 * size),
    size,
    angle: shape === 'cone' ? upright : shape === 'box' && random.chance(0.3) ? upright + Math.PI / 2 : upright * 3,
    aspect: random.between(0.62, 1),
    colour: objectColour(random, backdrop),
    accent: accentColour(random),
    decoration: random.whole(0, 2),
  };
}

function randomClutter(random: Random, limits: SceneLimits, backdrop: Backdrop): Item {
  const shape: ClutterName = random.pick(CLUTTER);
  const long = shape === 'bar' || shape === 'drop';
  const size = long ? random.between(40, 260) : random.between(28, 120);
  return {
    shape,
    x: random.between(0, limits.width),
    y: random.between(0, limits.height),
    size,
    angle: random.between(-Math.PI, Math.PI),
    aspect: shape === 'bar' ? random.between(2, 9) / size : random.between(0.5, 1),
    colour: objectColour(random, backdrop),
    accent: accentColour(random),
    decoration: 0,
  };
}

function objectColour(random: Random, backdrop: Backdrop): Rgb {
  for (let attempt = 0; ; attempt++) {
    const grey = random.chance(0.12);
    const colour = fromHue(random.next(), grey ? 0.05 : random.between(0.5, 0.95), random.between(0.45, 1));
    const least = Math.min(contrast(colour, backdrop.dark), contrast(colour, backdrop.light));
    if (least > 0.16 || attempt === 20) return colour;
  }
}

function accentColour(random: Random): Rgb {
  return random.chance(0.6) ? fromHue(0.12, 0.06, 0.95) : fromHue(random.next(), random.between(0.3, 0.9), 0.85);
}
