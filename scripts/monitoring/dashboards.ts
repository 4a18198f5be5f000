/** Every dashboard of the chart. */

import { algorithm } from './algorithm.ts';
import { autoscaling } from './autoscaling.ts';
import { busAndStore } from './bus-and-store.ts';
import { camera } from './camera.ts';
import type { Dashboard } from './dashboard.ts';
import { fleet } from './fleet.ts';

export const DASHBOARDS: readonly Dashboard[] = [fleet, camera, algorithm, autoscaling, busAndStore];
