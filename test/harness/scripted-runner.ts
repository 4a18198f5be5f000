/** A runner that answers as a test tells it, written from the protocol alone: registration, credits, results, drain. */

import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import type { Bus } from '@stream-infer/bus/bus';
import { openRunners } from '@stream-infer/bus/registry';
import {
  AlgoRunnerServiceService,
  type InvokeRequest,
  type InvokeResponse,
} from '@stream-infer/proto/stream_infer/v1/algo_runner';
import type { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';
import type { Result } from '@stream-infer/proto/stream_infer/v1/result';

export type ScriptedRunner = {
  readonly id: string;
  readonly address: string;
  /** Everything it was sent, in order. */
  readonly received: readonly Invocation[];
  /** Ids of what it was asked to cancel; it gives back all but the oldest `concurrency` that it holds. */
  readonly cancelled: readonly string[];
  /** Dies: every conversation breaks, and the registry is told nothing. */
  kill(): void;
  /** Says that it drains, and answers nothing that it has started with. */
  drain(): void;
  /** Leaves in order. */
  close(): Promise<void>;
};

export type ScriptedRunnerOptions = {
  readonly id: string;
  readonly definitions: readonly string[];
  /** Credits granted at first are this and one more. */
  readonly concurrency?: number;
  /** As another address than its own, such as a proxy's. */
  readonly advertise?: (port: number) => Promise<string>;
  /** What it says that each window took, in a batch of its own. */
  readonly runUs?: number;
  /** What the invocation is answered with; undefined leaves it unanswered. */
  answer(invocation: Invocation): Promise<Outcome | undefined> | Outcome | undefined;
  /** Ids that it answers besides, against the protocol, each time that it answers this invocation. */
  strays?(invocation: Invocation): readonly string[];
};

/** `bytes`: sent as they are. */
export type Outcome =
  | { readonly data: unknown }
  | { readonly bytes: Uint8Array }
  | { readonly code: string; readonly message?: string; readonly notStarted?: boolean };

type Call = ServerDuplexStream<InvokeRequest, InvokeResponse>;

export async function startRunner(bus: Bus, options: ScriptedRunnerOptions): Promise<ScriptedRunner> {
  const { id, definitions, concurrency = 1, answer } = options;
  const received: Invocation[] = [];
  const cancelled: string[] = [];
  const unanswered = new Map<string, Invocation>();
  const calls = new Set<Call>();
  let draining = false;
  const write = (call: Call, message: NonNullable<InvokeResponse['message']>): void => {
    if (calls.has(call)) call.write({ message });
  };
  const grant = (call: Call, definition: string, count: number): void => {
    if (!draining) write(call, { $case: 'credits', value: { definition, count } });
  };
  const invoke = async (call: Call, invocation: Invocation): Promise<void> => {
    received.push(invocation);
    unanswered.set(invocation.id, invocation);
    const outcome = draining ? { code: 'NOT_STARTED', notStarted: true } : await answer(invocation);
    if (outcome !== undefined) reply(call, invocation, outcome);
  };
  const reply = (call: Call, invocation: Invocation, outcome: Outcome): void => {
    const { id: invocationId, definition } = invocation;
    if (!unanswered.delete(invocationId)) return;
    write(call, { $case: 'result', value: resultOf(invocationId, outcome, options.runUs) });
    for (const stray of options.strays?.(invocation) ?? [])
      write(call, { $case: 'result', value: resultOf(stray, outcome, options.runUs) });
    grant(call, definition, 1);
  };
  const cancel = (call: Call, invocationId: string): void => {
    cancelled.push(invocationId);
    const invocation = unanswered.get(invocationId);
    // The oldest ones have started (G-5).
    const hasStarted = [...unanswered.keys()].indexOf(invocationId) < concurrency;
    if (invocation && !hasStarted) reply(call, invocation, { code: 'NOT_STARTED', notStarted: true });
  };
  const server = new Server({ 'grpc.keepalive_permit_without_calls': 1 });
  server.addService(AlgoRunnerServiceService, {
    invoke: (call: Call) => {
      calls.add(call);
      call.on('data', ({ message }: InvokeRequest) => {
        if (message?.$case === 'hello') write(call, { $case: 'alive', value: {} });
        if (message?.$case === 'hello') for (const definition of definitions) grant(call, definition, concurrency + 1);
        if (message?.$case === 'invocation') void invoke(call, message.value);
        if (message?.$case === 'cancel') cancel(call, message.value.invocationId);
      });
      const over = (): void => void calls.delete(call);
      call.on('cancelled', over).on('error', over).on('end', over);
    },
    describe: (_call: unknown, reply: (error: Error) => void) => reply(new Error('not scripted')),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const address = (await options.advertise?.(port)) ?? `127.0.0.1:${port}`;
  const runners = await openRunners(bus);
  const algorithms = definitions.map((definition) => ({ definition, version: '1', concurrency }));
  const registration = { id, address, version: '1', algorithms, startedAtMs: Date.now() };
  let beat = 0;
  const put = async (): Promise<void> => {
    beat += 1;
    await runners.put(id, { ...registration, beat });
  };
  await put();
  const beating = setInterval(() => void put().catch(() => undefined), 1_000);
  const living = setInterval(() => {
    for (const call of calls) write(call, { $case: 'alive', value: {} });
  }, 250);
  return {
    id,
    address,
    received,
    cancelled,
    kill() {
      clearInterval(beating);
      clearInterval(living);
      calls.clear();
      server.forceShutdown();
    },
    drain() {
      draining = true;
      for (const call of calls) write(call, { $case: 'draining', value: {} });
    },
    async close() {
      clearInterval(beating);
      clearInterval(living);
      await runners.delete(id).catch(() => undefined);
      calls.clear();
      server.forceShutdown();
    },
  };
}

function resultOf(invocationId: string, outcome: Outcome, runUs = 0): Result {
  const timings = { queueUs: 0, fetchUs: 0, runUs, batchWindows: 1 };
  if ('data' in outcome || 'bytes' in outcome) {
    const value = 'bytes' in outcome ? Buffer.from(outcome.bytes) : Buffer.from(JSON.stringify(outcome.data));
    return { invocationId, outcome: { $case: 'data', value }, timings, version: '1', snapshot: undefined };
  }
  const { code, message = `scripted ${code}`, notStarted = false } = outcome;
  const value = { code, message, notStarted };
  return { invocationId, outcome: { $case: 'fault', value }, timings, version: '1', snapshot: undefined };
}
