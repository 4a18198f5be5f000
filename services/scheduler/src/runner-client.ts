/**
 * The conversation with one runner: credits in, invocations out, results back (G-2 to G-6), opened again when it breaks.
 *
 * Invariants: never an invocation without a credit; each that was sent is settled once, with its result or as lost when the
 * conversation breaks, so that another runner gets it at once; a peer that stopped is noticed within a second by keepalive (D13), one
 * that answers pings but not invocations by their time limits.
 */

import { type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import type { RunnerRegistration } from '@stream-infer/bus/registry';
import {
  AlgoRunnerServiceClient,
  type Credits,
  type InvokeRequest,
  type InvokeResponse,
} from '@stream-infer/proto/stream_infer/v1/algo_runner';
import type { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';
import type { Result } from '@stream-infer/proto/stream_infer/v1/result';
import type { Carrier, Work } from './work.ts';

type Call = ClientDuplexStream<InvokeRequest, InvokeResponse>;

type ConversationState =
  | { readonly kind: 'opening'; readonly call: Call }
  /** The runner has granted credits. */
  | { readonly kind: 'open'; readonly call: Call }
  /** The runner finishes what it has and takes nothing new. */
  | { readonly kind: 'draining'; readonly call: Call }
  | { readonly kind: 'broken'; readonly retry: NodeJS.Timeout }
  | { readonly kind: 'closed' };

export type RunnerEvents = {
  /** It may be sent more of this definition. */
  credits(definition: string): void;
  opened(): void;
  /** The conversation broke with so many invocations unanswered; it is opened again by itself. */
  broken(why: string, unanswered: number): void;
};

export type RunnerClientOptions = {
  readonly runner: RunnerRegistration;
  /** Names this scheduler to the runner. */
  readonly caller: string;
  readonly events: RunnerEvents;
};

type Sent = { readonly work: Work; readonly sentAtMs: number; cancelled: boolean };

const MESSAGE_LIMIT_BYTES = 64 * 2 ** 20;
const KEEPALIVE_MS = 500;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2_000;
const WATCH_MS = 1_000;

/** When an invocation is given up though its runner is alive: it may have waited behind others there. */
const giveUpAfterMs = ({ invocation }: Work): number => 30_000 + 3 * invocation.timeoutMs;

export class RunnerClient implements Carrier {
  readonly runner: RunnerRegistration;
  readonly #caller: string;
  readonly #events: RunnerEvents;
  readonly #client: AlgoRunnerServiceClient;
  readonly #credits = new Map<string, number>();
  /** By invocation id, in the order of sending. */
  readonly #sent = new Map<string, Sent>();
  readonly #watch: NodeJS.Timeout;
  #retryMs = FIRST_RETRY_MS;
  #state: ConversationState;

  constructor({ runner, caller, events }: RunnerClientOptions) {
    this.runner = runner;
    this.#caller = caller;
    this.#events = events;
    this.#client = new AlgoRunnerServiceClient(runner.address, credentials.createInsecure(), {
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_MS,
      'grpc.keepalive_permit_without_calls': 1,
      'grpc.max_receive_message_length': MESSAGE_LIMIT_BYTES,
      'grpc.max_send_message_length': MESSAGE_LIMIT_BYTES,
      'grpc.initial_reconnect_backoff_ms': FIRST_RETRY_MS,
      'grpc.max_reconnect_backoff_ms': LAST_RETRY_MS,
      // A conversation of its own for each client: one that breaks takes no other with it.
      'grpc.use_local_subchannel_pool': 1,
    });
    this.#state = { kind: 'opening', call: this.#open() };
    this.#watch = setInterval(() => this.#checkLimits(), WATCH_MS);
  }

  /** Whether it has granted credits and not broken since. */
  get isOpen(): boolean {
    return this.#state.kind === 'open';
  }

  get unanswered(): number {
    return this.#sent.size;
  }

  credits(definition: string): number {
    return this.#state.kind === 'open' ? (this.#credits.get(definition) ?? 0) : 0;
  }

  remembers(definition: string): boolean {
    return this.runner.algorithms.some((served) => served.definition === definition && served.state === 'stream');
  }

  forget(definition: string, { stream, run, algorithm }: Pick<Invocation, 'stream' | 'run' | 'algorithm'>): void {
    if (this.#state.kind === 'open')
      this.#state.call.write({ message: { $case: 'forget', value: { definition, stream, run, algorithm } } });
  }

  send(work: Work): void {
    const { invocation } = work;
    if (this.#state.kind !== 'open') {
      work.settle({ kind: 'lost', mayHaveStarted: false });
      return;
    }
    this.#credits.set(invocation.definition, this.credits(invocation.definition) - 1);
    this.#sent.set(invocation.id, { work, sentAtMs: performance.now(), cancelled: false });
    this.#state.call.write({ message: { $case: 'invocation', value: invocation } });
  }

  cancel({ invocation }: Work): void {
    const sent = this.#sent.get(invocation.id);
    if (sent === undefined || sent.cancelled) return;
    sent.cancelled = true;
    if (this.#state.kind === 'open' || this.#state.kind === 'draining')
      this.#state.call.write({ message: { $case: 'cancel', value: { invocationId: invocation.id } } });
  }

  /** Ends the conversation; what is unanswered is lost. Idempotent. */
  close(): void {
    const state = this.#state;
    if (state.kind === 'closed') return;
    this.#state = { kind: 'closed' };
    clearInterval(this.#watch);
    if (state.kind === 'broken') clearTimeout(state.retry);
    else state.call.cancel();
    this.#loseAll();
    this.#client.close();
  }

  #open(): Call {
    const call = this.#client.invoke();
    const isCurrent = (): boolean => 'call' in this.#state && this.#state.call === call;
    call.on('data', (response: InvokeResponse) => {
      if (isCurrent()) this.#heard(call, response);
    });
    call.on('error', (error) => {
      if (isCurrent()) this.#break(error.message);
    });
    call.on('end', () => {
      if (isCurrent()) this.#break('the runner ended it');
    });
    call.write({ message: { $case: 'hello', value: { caller: this.#caller } } });
    return call;
  }

  #heard(call: Call, { message }: InvokeResponse): void {
    switch (message?.$case) {
      case 'credits':
        this.#granted(call, message.value);
        return;
      case 'result':
        this.#answered(message.value);
        return;
      case 'draining':
        this.#state = { kind: 'draining', call };
        this.#credits.clear();
        return;
      case undefined:
        return;
    }
  }

  #granted(call: Call, { definition, count }: Credits): void {
    if (this.#state.kind === 'opening') {
      this.#state = { kind: 'open', call };
      this.#retryMs = FIRST_RETRY_MS;
      this.#events.opened();
    }
    if (this.#state.kind !== 'open') return;
    this.#credits.set(definition, this.credits(definition) + count);
    this.#events.credits(definition);
  }

  #answered(result: Result): void {
    const sent = this.#sent.get(result.invocationId);
    if (sent === undefined) return;
    this.#sent.delete(result.invocationId);
    if (!sent.cancelled) sent.work.settle({ kind: 'answered', result });
  }

  #break(why: string): void {
    const unanswered = this.#sent.size;
    const retry = setTimeout(() => {
      this.#state = { kind: 'opening', call: this.#open() };
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
    this.#state = { kind: 'broken', retry };
    this.#events.broken(why, unanswered);
    this.#loseAll();
  }

  /** A runner runs as many at once as it has instances; what was sent after these had not started. */
  #loseAll(): void {
    this.#credits.clear();
    const running = new Map<string, number>();
    const lost = [...this.#sent.values()];
    this.#sent.clear();
    for (const { work, cancelled } of lost) {
      const { definition } = work.invocation;
      const before = running.get(definition) ?? 0;
      running.set(definition, before + 1);
      if (!cancelled) work.settle({ kind: 'lost', mayHaveStarted: before < this.#concurrency(definition) });
    }
  }

  #concurrency(definition: string): number {
    return this.runner.algorithms.find((served) => served.definition === definition)?.concurrency ?? 1;
  }

  #checkLimits(): void {
    const [oldest] = this.#sent.values();
    if (!('call' in this.#state) || oldest === undefined) return;
    if (performance.now() - oldest.sentAtMs < giveUpAfterMs(oldest.work)) return;
    const { call } = this.#state;
    this.#break(`invocation ${oldest.work.invocation.id} was not answered in time`);
    call.cancel();
  }
}
