/** A plan as people read it. */

import { formatTable } from '../terminal/table.ts';
import type { DeploymentPlan, PlannedPods } from './deployment-plan.ts';

/** @param targetUtilization that the plan was made for. */
export function planText({ streams, services, total, bus, notes }: DeploymentPlan, targetUtilization: number): string {
  const row = ({ name, pods, cores, memoryMiB, gpus }: PlannedPods): string[] => [
    name,
    String(pods),
    figure(cores),
    figure(cores / pods / targetUtilization),
    memory(memoryMiB),
    memory(memoryMiB / pods),
    gpus === 0 ? '' : String(gpus),
  ];
  const head = ['', 'pods', 'cores busy', 'cores a pod', 'memory', 'a pod', 'GPUs'];
  const last = ['all', String(total.pods), figure(total.cores), '', memory(total.memoryMiB), ''];
  const rows = [...services.map(row), [...last, total.gpus === 0 ? '' : String(total.gpus)]];
  return [
    `${streams} ${streams === 1 ? 'camera' : 'cameras'}, busy for ${Math.round(100 * targetUtilization)} % of what is given to a pod`,
    formatTable(head, rows, 1),
    `bus: ${figure(bus.inMegabytesPerSecond)} MB/s of frames in, ${figure(bus.outMegabytesPerSecond)} MB/s out; frame buffers reserve ${figure(bus.bufferMegabytes)} MB (max_memory_store)`,
    ...notes,
    '',
  ].join('\n');
}

const figure = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2));
const memory = (mib: number): string => (mib >= 1_024 ? `${(mib / 1_024).toFixed(1)} GiB` : `${mib.toFixed(0)} MiB`);
