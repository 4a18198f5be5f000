/** What a node does with a pod that the scheduler has bound to it. */

import type { ApiPod } from './kubernetes-api.ts';

export type PodState =
  /** Its images, volumes and init containers. */
  | { readonly kind: 'starting' }
  | { readonly kind: 'running' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'ended'; readonly exitStatus: number };

export type PodRuntime = {
  /** How it is; starts it the first time. */
  state(pod: ApiPod): PodState;
  /** Whether nothing of it is left; begins to stop it the first time. */
  isGone(pod: ApiPod): boolean;
  /** Stops all. */
  stop(): Promise<void>;
};

/** Starts nothing: a pod is ready at once, that of a job has succeeded. */
export const pretendedRuntime: PodRuntime = {
  state: ({ spec }) => (spec.restartPolicy === 'Always' ? { kind: 'ready' } : { kind: 'ended', exitStatus: 0 }),
  isGone: () => true,
  stop: async () => undefined,
};
