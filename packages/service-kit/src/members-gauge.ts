/** How many of those that share the work live: what the ingests and the schedulers tell alike, each of its own kind. */

import { Gauge, type Registry } from 'prom-client';

/** 0 until it is told where to ask. @returns to be called with what tells how many live now. */
export function createMembersGauge(registry: Registry): (live: () => number) => void {
  let liveMembers = (): number => 0;
  new Gauge({
    name: 'stream_infer_members',
    help: 'Processes of this kind that share its work and live, as this one sees it, itself among them.',
    registers: [registry],
    collect() {
      this.set(liveMembers());
    },
  });
  return (live) => {
    liveMembers = live;
  };
}
