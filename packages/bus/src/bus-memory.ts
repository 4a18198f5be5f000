/** What is reserved of the bus's memory: a memory stream takes its `max_bytes` from the day it is made (D2), full or not. */

import { StorageType } from 'nats';
import type { Bus } from './bus.ts';

export type Reserved = {
  /** Whose frames it holds; undefined where it is no frame buffer of this installation. */
  readonly stream: string | undefined;
  /** JetStream name. */
  readonly name: string;
  readonly bytes: number;
};

export type BusMemory = {
  /** Of the account; undefined where it has none and the server's own counts, which no client is told. */
  readonly limitBytes: number | undefined;
  /** By what lies in it now. */
  readonly usedBytes: number;
  readonly reserved: readonly Reserved[];
};

export async function busMemory(bus: Bus): Promise<BusMemory> {
  const { limits, memory } = await bus.manager.getAccountInfo();
  const reserved: Reserved[] = [];
  for await (const { config } of bus.manager.streams.list()) {
    if (config.storage !== StorageType.Memory) continue;
    const { name, max_bytes: bytes } = config;
    reserved.push({ stream: bus.topology.streamOfFrames(name), name, bytes: Math.max(0, bytes) });
  }
  return { limitBytes: limits.max_memory > 0 ? limits.max_memory : undefined, usedBytes: memory, reserved };
}
