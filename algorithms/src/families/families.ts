/** The closed set of families that `onnx-detector` reads. */
import type { Family } from './family.ts';
import { ultraface } from './ultraface.ts';
import { yolov8 } from './yolov8.ts';
import { yolox } from './yolox.ts';
import { yunet } from './yunet.ts';

export const FAMILIES = { ultraface, yunet, yolox, yolov8 } as const satisfies Record<string, Family>;

export type FamilyName = keyof typeof FAMILIES;

export const FAMILY_NAMES = ['ultraface', 'yunet', 'yolox', 'yolov8'] as const satisfies readonly FamilyName[];
