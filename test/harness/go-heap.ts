/**
 * What lives in the heap of a program of Go, as its profiler (net/http/pprof) counts it right after a collection. Counts, not the samples that a
 * profile is made of: one allocation in 512 KiB is sampled, so that of buffers of some tens of KiB most are missed.
 */

export type GoHeap = {
  readonly bytes: number;
  /**
   * Of any size. What nats-server keeps of a stream, a consumer or a key is several objects each; the buffer of a block of a stream that is written to is one,
   * however large it has become.
   */
  readonly objects: number;
};

/** Of a profile as text with the runtime's counts at its end. Throws where one of these is missing. */
export function goHeapOf(profile: string): GoHeap {
  const count = (name: string): number => {
    const [, value] = new RegExp(`^# ${name} = (\\d+)$`, 'm').exec(profile) ?? [];
    if (value === undefined)
      throw new Error(`no ${name} in what is to be a profile of Go's heap: ${profile.slice(0, 80)}`);
    return Number(value);
  };
  return { bytes: count('HeapAlloc'), objects: count('HeapObjects') };
}

/** @param profilerUrl with nothing behind its port */
export async function liveGoHeap(profilerUrl: string): Promise<GoHeap> {
  // What lies in pools outlives one collection.
  await collectedProfile(profilerUrl);
  return goHeapOf(await collectedProfile(profilerUrl));
}

async function collectedProfile(profilerUrl: string): Promise<string> {
  return (await fetch(`${profilerUrl}/debug/pprof/heap?gc=1&debug=1`)).text();
}
