/** How full the bus is, as metrics show it: the memory that frames lie in, and the stream of results. */

import type { Bus } from '@stream-infer/bus/bus';
import { busMemory } from '@stream-infer/bus/bus-memory';
import { resultStreamBytes } from '@stream-infer/bus/result-stream';
import type { CollectorMetrics } from './metrics.ts';

/** @param configuredBytes of memory, 0 where none is configured. Rejects with the client's errors. */
export async function measureBus(
  bus: Bus,
  { busMemory: memoryBytes, resultStream: resultBytes }: Pick<CollectorMetrics, 'busMemory' | 'resultStream'>,
  configuredBytes: number,
): Promise<void> {
  const [memory, results] = await Promise.all([busMemory(bus), resultStreamBytes(bus)]);
  const limitBytes = memory.limitBytes ?? configuredBytes;
  memoryBytes.set({ kind: 'used' }, memory.usedBytes);
  memoryBytes.set(
    { kind: 'reserved' },
    memory.reserved.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  if (limitBytes > 0) memoryBytes.set({ kind: 'limit' }, limitBytes);
  resultBytes.set({ kind: 'used' }, results.usedBytes);
  resultBytes.set({ kind: 'limit' }, results.limitBytes);
}
