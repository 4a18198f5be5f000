/**
 * The clip that the demo plays: ten seconds in which eight objects wander over a wooden floor, pass each other and grow
 * and shrink, with some clutter between them.
 *
 * Its frames are drawn, not stored: frame k is a pure function of k, and so is the truth about it.
 */
import { fromHue } from './colour.ts';
import { drawScene } from './drawing.ts';
import { cosine, sine } from './elementary.ts';
import { Random } from './random.ts';
import { type Sample, truthsOf } from './sample.ts';
import { type Backdrop, type Item, LARGEST_SIDE, type Scene, SMALLEST_SIDE } from './scene.ts';
import { CLASSES, type ShapeName } from './shape.ts';

export const CLIP_WIDTH = 640;
export const CLIP_HEIGHT = 360;
export const CLIP_FPS = 30;
export const CLIP_FRAMES = 300;

const CLIP_SEED = 41;
const PER_CLASS = 2;
const CLUTTER: readonly ShapeName[] = ['ring', 'bar', 'plus', 'frame'];
const COLUMNS = 4;
const ROWS = 3;
/** Kept free of means: the swings lead out of the frame seldom, and never far. */
const MARGIN = 40;

/** A thing and its way: sums of a mean and a swing with a whole number of turns in the clip. */
interface Wanderer {
  readonly item: Item;
  readonly swingX: number;
  readonly swingY: number;
  readonly turnsX: number;
  readonly turnsY: number;
  readonly phase: number;
  /** The size goes from `item.size` ÷ growth to × growth. */
  readonly growth: number;
  /** Radians to each side of the item's angle; a star goes round instead. */
  readonly sway: number;
}

const WANDERERS = wanderers();

/** Frame `index` (from 0) of the clip and the truth about it. */
export function clipSample(index: number): Sample {
  const scene = clipScene(index);
  const drawing = drawScene(scene, CLIP_WIDTH);
  return { drawing, truths: truthsOf(scene, drawing) };
}

/** What is to be seen in frame `index` of the clip. */
function clipScene(index: number): Scene {
  const time = index / CLIP_FRAMES;
  return {
    width: CLIP_WIDTH,
    height: CLIP_HEIGHT,
    backdrop: floorAt(time),
    items: WANDERERS.map((one) => itemAt(one, time)),
    grain: 0.006,
    grainSeed: index,
  };
}

function itemAt({ item, swingX, swingY, turnsX, turnsY, phase, growth, sway }: Wanderer, time: number): Item {
  const angle = 2 * Math.PI * time;
  // Between 1 / growth and growth, without a power: linear in the size on each side of the mean would jerk.
  const breath = sine(angle + 3 * phase);
  const size = item.size * (breath >= 0 ? 1 + (growth - 1) * breath : 1 / (1 - (growth - 1) * breath));
  return {
    ...item,
    x: item.x + swingX * sine(turnsX * angle + phase),
    y: item.y + swingY * cosine(turnsY * angle + 2 * phase),
    size: Math.max(SMALLEST_SIDE, Math.min(LARGEST_SIDE, size)),
    angle:
      item.shape === 'star' || item.shape === 'ball' ? item.angle + angle : item.angle + sway * sine(2 * angle + phase),
  };
}

function floorAt(time: number): Backdrop {
  return {
    pattern: 'planks',
    dark: fromHue(0.07, 0.42, 0.34),
    light: fromHue(0.085, 0.36, 0.62),
    pitch: 58,
    shiftX: 160 * time,
    shiftY: 24 * time,
    seed: CLIP_SEED,
  };
}

function wanderers(): Wanderer[] {
  const random = new Random(CLIP_SEED);
  const shapes: ShapeName[] = [...CLASSES.flatMap((name) => new Array<ShapeName>(PER_CLASS).fill(name)), ...CLUTTER];
  random.shuffle(shapes);
  return shapes.map((shape, index) => wanderer(random, shape, index));
}

/** Everything starts from its own square of a grid, so that no corner is empty, and wanders into its neighbours'. */
function wanderer(random: Random, shape: ShapeName, index: number): Wanderer {
  const clutter = !(CLASSES as readonly string[]).includes(shape);
  const column = index % COLUMNS;
  const row = Math.floor(index / COLUMNS);
  const item: Item = {
    shape,
    x: MARGIN + ((column + random.between(0.3, 0.7)) * (CLIP_WIDTH - 2 * MARGIN)) / COLUMNS,
    y: MARGIN + ((row + random.between(0.3, 0.7)) * (CLIP_HEIGHT - 2 * MARGIN)) / ROWS,
    size: shape === 'bar' ? 150 : clutter ? random.between(44, 64) : random.between(50, 80),
    angle: clutter ? random.between(-1.2, 1.2) : random.between(-0.15, 0.15),
    aspect: shape === 'bar' ? 0.04 : random.between(0.72, 0.95),
    colour: fromHue(clutter ? 0.6 : index * 0.381966, clutter ? 0.15 : 0.8, clutter ? 0.45 : 0.9),
    accent: fromHue(0.12, 0.06, 0.95),
    decoration: random.whole(0, 2),
  };
  return {
    item,
    swingX: random.between(40, 110),
    swingY: random.between(25, 60),
    turnsX: random.pick([1, 1, 2]),
    turnsY: random.pick([1, 2]),
    phase: random.between(0, 2 * Math.PI),
    growth: clutter ? 1.2 : random.between(1.3, 1.9),
    sway: random.between(0.05, 0.2),
  };
}
