/**
 * An offline run of an algorithm that remembers every window it has run, without processes: instances are lost, and schedulers, at
 * moments that a seed chooses. What it answers is all that it remembers, so that a window that was left out, run twice or run out of
 * order is seen in every answer that follows.
 */

import { bufferCapacity, isNeeded, type SamplePlan, samplePlan, snapshotEvery } from '@stream-infer/core/sample-plan';
import type { Schedule, Trigger } from '@stream-infer/core/schedule';
import { type Snapshot, StateTurns, type Turn } from '@stream-infer/core/state-turns';
import { StreamSchedule } from '@stream-infer/core/stream-schedule';
import type { UpstreamResult } from '@stream-infer/core/upstream';
import { dice, numberFrames, type SimulatedFrame } from './simulated-run.ts';
import { algorithm, sourceFacts, streamSpec } from './specs.ts';

export type RememberingRun = {
  readonly intervalFrames: number;
  readonly frameCount: number;
  readonly frameStep: number;
  readonly maxInFlight: number;
  /** Of an algorithm beside it, without memory. */
  readonly otherInterval: number;
  readonly comesAfter: boolean;
  /** Source frames. */
  readonly length: number;
  readonly seed: number;
};

export type Remembered = {
  /** For each window, in the order of publishing: n, and all that was remembered then. */
  readonly published: readonly string[];
  readonly expected: readonly string[];
  readonly fault: string | undefined;
};

const MEMORY = 'memory';
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const said = (remembered: readonly number[]): string => remembered.join(' ');
const RESULT: UpstreamResult = { kind: 'data', json: encoder.encode('1') };

type Answer = readonly number[];
type InFlight = {
  readonly window: Trigger<SimulatedFrame>;
  readonly turn: Turn<SimulatedFrame>;
  readonly home: string;
};

function planOf(given: RememberingRun): SamplePlan {
  const { intervalFrames, frameCount, frameStep, maxInFlight, otherInterval, comesAfter } = given;
  const memory = { name: MEMORY, definition: MEMORY, frameCount, frameStep, maxInFlight };
  const { interval: _, ...behind } = algorithm({ ...memory, frameCount: frameCount - 1, after: ['root'] });
  const algorithms = [
    ...(comesAfter ? [behind] : [algorithm({ ...memory, intervalFrames })]),
    ...(comesAfter ? [algorithm({ name: 'root', definition: 'root', intervalFrames, maxInFlight })] : []),
    algorithm({ name: 'other', definition: 'other', intervalFrames: otherInterval, maxInFlight }),
  ];
  return samplePlan(streamSpec({ fps: '10', algorithms }), sourceFacts({ fps: '10' }));
}

/** Everything that outlives a scheduler: what stands on the bus. */
type Bus = {
  readonly published: Map<string, number[]>;
  readonly answers: string[];
  snapshot: Snapshot | undefined;
};

class Scheduler {
  readonly schedule: StreamSchedule<SimulatedFrame, Answer>;
  readonly turns: StateTurns<SimulatedFrame, string>;
  readonly memory: Schedule<SimulatedFrame, Answer>;
  inFlight: InFlight | undefined;
  read: number;
  ended = false;

  constructor(plan: SamplePlan, { published, snapshot }: Bus, released: number) {
    const progress = new Map(
      plan.algorithms.map(({ name }) => {
        const ns = published.get(name) ?? [];
        const replayAfter = name === MEMORY && ns.length > 0 ? (snapshot?.n ?? 0) : undefined;
        const results = new Map(name === 'root' ? ns.map((n) => [n, RESULT]) : []);
        return [
          name,
          { answeredThrough: ns.at(-1) ?? 0, results, ...(replayAfter !== undefined && { replayAfter }) },
        ] as const;
      }),
    );
    this.schedule = new StreamSchedule({ plan, mode: 'offline', live: false, progress });
    const memory = this.schedule.schedules.find((one) => one.algorithm.name === MEMORY);
    if (memory === undefined) throw new Error('the plan has no memory');
    this.memory = memory;
    this.turns = new StateTurns({
      mode: 'offline',
      retained: memory.retained,
      snapshot,
      hasRun: (published.get(MEMORY) ?? []).length > 0,
      snapshotEvery: snapshotEvery(plan, memory.algorithm),
    });
    this.read = released;
  }
}

export function simulateRemembering(given: RememberingRun): Remembered {
  const plan = planOf(given);
  const roll = dice(given.seed);
  const capacity = bufferCapacity(plan, 'offline');
  const times = Array.from({ length: given.length }, (_, i) => i * 100);
  const frames = numberFrames(plan, times)
    .filter(({ n }) => isNeeded(plan, n))
    .map((frame, i): SimulatedFrame => ({ ...frame, sequence: i + 1 }));
  const bus: Bus = { published: new Map(), answers: [], snapshot: undefined };
  const instances = new Map<string, number[]>();
  let stored = 0;
  let released = 0;
  let losses = 12;
  let fault: string | undefined;
  let scheduler = new Scheduler(plan, bus, released);

  const release = (): void => {
    released = scheduler.schedule.release() ?? released;
  };
  const publish = (one: Schedule<SimulatedFrame, Answer>): void => {
    const { name } = one.algorithm;
    for (const { trigger, answer } of one.ready()) {
      bus.published.set(name, [...(bus.published.get(name) ?? []), trigger.n]);
      if (name === MEMORY) bus.answers.push(said(answer));
      one.settle(trigger.n, 'completed', RESULT);
    }
  };
  const lostInFlight = (): void => {
    const { inFlight } = scheduler;
    scheduler.turns.lost();
    scheduler.inFlight = undefined;
    if (inFlight && inFlight.turn.replay === undefined) scheduler.memory.giveBack(inFlight.window, 0);
  };
  /** What the runner does, and what the scheduler makes of its answer. */
  const run = ({ window, turn, home }: InFlight): void => {
    const { turns, memory } = scheduler;
    const gone = memory.algorithm.frameCount > 0 && window.frames.find(({ sequence }) => sequence <= released);
    if (gone) fault = `frame ${gone.n} is released and window ${window.n} wants it`;
    if (turn.begin) instances.set(home, turn.snapshot ? (JSON.parse(decoder.decode(turn.snapshot)) as number[]) : []);
    const remembered = instances.get(home);
    if (remembered === undefined || (remembered.at(-1) ?? 0) !== turn.afterN) {
      turns.missing();
      if (turn.replay === undefined) memory.giveBack(window, 0);
      return;
    }
    remembered.push(window.n);
    turns.ran(window, turn, turn.takeSnapshot ? encoder.encode(JSON.stringify(remembered)) : undefined, false, 0);
    if (turn.replay !== undefined) return;
    memory.answered(window, [...remembered]);
    publish(memory);
  };
  const steps: (() => boolean)[] = [
    () => {
      if (stored === frames.length || stored - released >= capacity) return false;
      stored += 1;
      return true;
    },
    () => {
      const frame = frames[scheduler.read];
      if (scheduler.read >= stored || frame === undefined) return false;
      scheduler.schedule.frame(frame, frames[scheduler.read - 1]?.n ?? 0, 0, 0);
      scheduler.read += 1;
      release();
      return true;
    },
    () => {
      if (scheduler.read < frames.length || scheduler.ended) return false;
      scheduler.schedule.end(frames.at(-1)?.n ?? 0);
      scheduler.ended = true;
      return true;
    },
    // What has no memory answers at once.
    () => {
      const one = scheduler.schedule.schedules.find(({ algorithm: { name }, canTake }) => name !== MEMORY && canTake);
      const trigger = one?.take(0);
      if (one === undefined || trigger === undefined) return false;
      one.answered(trigger, []);
      publish(one);
      release();
      return true;
    },
    () => {
      const { turns, memory } = scheduler;
      if (scheduler.inFlight || !(memory.canTake || turns.replays)) return false;
      const home = turns.home ?? (roll(2) === 0 ? 'one' : 'two');
      if (turns.needsRewind) fault = 'what it remembered is gone';
      const turn = turns.turn(home, 0);
      const window = turn.replay ?? memory.take(0);
      if (window === undefined) return false;
      scheduler.inFlight = { window, turn, home };
      return true;
    },
    () => {
      const { inFlight } = scheduler;
      if (inFlight === undefined) return false;
      scheduler.inFlight = undefined;
      run(inFlight);
      release();
      return true;
    },
    // A snapshot is stored behind the result of its window.
    () => {
      const { newest } = scheduler.turns;
      const through = bus.published.get(MEMORY)?.at(-1) ?? 0;
      if (newest === undefined || newest.n <= (bus.snapshot?.n ?? 0) || newest.n > through) return false;
      bus.snapshot = newest;
      scheduler.turns.stored(newest.n);
      release();
      return true;
    },
    () => {
      if (losses === 0 || roll(8) > 0) return false;
      losses -= 1;
      if (roll(3) === 0) {
        scheduler = new Scheduler(plan, bus, released);
        return true;
      }
      const home = roll(2) === 0 ? 'one' : 'two';
      instances.delete(home);
      // Sometimes it is noticed at once, else by the next window that is sent there.
      if (scheduler.turns.home === home && (roll(2) === 0 || scheduler.inFlight)) lostInFlight();
      return true;
    },
  ];
  while (fault === undefined && !scheduler.schedule.complete) {
    const from = roll(steps.length);
    const moved = steps.some((_, i) => steps[(from + i) % steps.length]?.());
    if (!moved && losses === 0) fault = `stalled: ${stored} stored, ${released} released, capacity ${capacity}`;
    if (!moved && losses > 0) losses -= 1;
  }
  const due = bus.published.get(MEMORY) ?? [];
  return { published: bus.answers, expected: expectedOf(plan, frames, due), fault };
}

/** Each answer holds all windows up to its own: as an instance that was never lost would say. */
function expectedOf(plan: SamplePlan, frames: readonly SimulatedFrame[], published: readonly number[]): string[] {
  const undisturbed = new StreamSchedule<SimulatedFrame, Answer>({ plan, mode: 'offline', live: false });
  const due: number[] = [];
  frames.forEach((frame, i) => {
    undisturbed.frame(frame, frames[i - 1]?.n ?? 0, 0, 0);
    for (const one of undisturbed.schedules.toReversed())
      for (let trigger = one.take(0); trigger; trigger = one.take(0)) {
        if (one.algorithm.name === MEMORY) due.push(trigger.n);
        one.answered(trigger, []);
        one.ready();
        one.settle(trigger.n, 'completed', RESULT);
      }
  });
  if (published.length > due.length) return [];
  return due.map((_, i) => said(due.slice(0, i + 1)));
}
