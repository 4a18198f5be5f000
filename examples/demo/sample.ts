/**
 * A drawn frame with the truth about it: which objects are in it, where, and how much of each can be seen.
 *
 * In a still sample every object shows at least half of itself: one that would show less is left out of the scene. In
 * the clip, where objects pass behind others, `visible` says how much is left.
 */
import { type Drawing, drawScene } from './drawing.ts';
import { type Item, type Scene, type SceneLimits, stillScene } from './scene.ts';
import { CLASSES, type ClassName, extentOf } from './shape.ts';

export const LEAST_VISIBLE = 0.5;

/** One object: corners of the upright box around all of it that is inside the frame, covered or not. */
export interface Truth {
  readonly label: ClassName;
  readonly classId: number;
  /** Pixels of the drawing. */
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  /** Share of its area that can be seen. */
  readonly visible: number;
}

export interface Sample {
  readonly drawing: Drawing;
  readonly truths: readonly Truth[];
}

/** Draws still scene `index` of a seed at `width` pixels across. */
export function stillSample(seed: number, index: number, width: number, limits?: SceneLimits): Sample {
  let scene = stillScene(seed, index, limits);
  for (;;) {
    const drawing = drawScene(scene, width);
    const items = scene.items.filter((item, i) => !isObject(item) || (drawing.visible[i] as number) >= LEAST_VISIBLE);
    if (items.length === scene.items.length) return { drawing, truths: truthsOf(scene, drawing) };
    scene = { ...scene, items };
  }
}

/** The truth about every object of a scene as it was drawn. */
export function truthsOf(scene: Scene, drawing: Drawing): Truth[] {
  const scale = drawing.width / scene.width;
  const truths: Truth[] = [];
  scene.items.forEach((item, i) => {
    if (!isObject(item)) return;
    const [left, top, right, bottom] = extentOf(item.shape, item.aspect, item.angle);
    truths.push({
      label: item.shape,
      classId: CLASSES.indexOf(item.shape),
      x1: Math.max(0, (item.x + left * item.size) * scale),
      y1: Math.max(0, (item.y + top * item.size) * scale),
      x2: Math.min(drawing.width, (item.x + right * item.size) * scale),
      y2: Math.min(drawing.height, (item.y + bottom * item.size) * scale),
      visible: drawing.visible[i] as number,
    });
  });
  return truths;
}

function isObject(item: Item): item is Item & { readonly shape: ClassName } {
  return (CLASSES as readonly string[]).includes(item.shape);
}
