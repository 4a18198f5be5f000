/** The built-in algorithms, by the name that a configuration gives in `use`; each is loaded only where it is used. */
import type { AlgorithmConstructor } from '@stream-infer/algorithm';

export type AlgorithmModule = { readonly default: AlgorithmConstructor };

export const BUILT_IN_ALGORITHMS = {
  'byte-track': () => import('./byte-track.ts'),
  'crop-onnx': () => import('./crop-onnx.ts'),
  'frame-stats': () => import('./frame-stats.ts'),
  onnx: () => import('./onnx.ts'),
  'onnx-detector': () => import('./onnx-detector.ts'),
} as const satisfies Record<string, () => Promise<AlgorithmModule>>;

export type BuiltInName = keyof typeof BUILT_IN_ALGORITHMS;

export const isBuiltInName = (name: string): name is BuiltInName => Object.hasOwn(BUILT_IN_ALGORITHMS, name);
