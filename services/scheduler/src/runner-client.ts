/**
 * The conversation with one runner: credits in, invocations out, results back (G-2 to G-6), opened again when it breaks.
 *
 * Invariants: never an invocation without a credit; each that was sent is settled once, with its result or as lost when the
 * conversation breaks, so that another runner gets it at once; a runner that stopped is noticed by its silence (G-10), one that lives and
 * does not answer by the time limit of each invocation (G-13). Only time in which this process listened counts, so that a busy machine
 * breaks no conversation with a healthy runner.
 */

import { type ClientDuplexStream, credentials, experimental } from '@grpc/grpc-js';
import type { RunnerRegistration } from '@stream-infer/bus/registry';
import {
  AlgoRunnerServiceClient,
  type Credits,
  type InvokeRequest,
  type InvokeResponse,
} from '@stream-infer/proto/stream_infer/v1/algo_runner';
import type { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';
import type { Result } from '@stream-infer/proto/stream_infer/v1/result';
import type { TlsFiles } from '@stream-infer/service-kit/tls-files';
import { answerLimitMs } from './answer-limit.ts';
import { ListeningClock } from './listening-clock.ts';
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
  /** It answered what it was asked, whoever still wants it. */
  answered(definition: string, result: Result): void;
  /** It answered what it was not asked, or twice: that counts for nothing. */
  stray(): void;
  /** The conversation broke with so many invocations unanswered; it is opened again by itself. */
  broken(why: string, unanswered: number): void;
};

/** How runners are called where TLS is configured. */
export type RunnerTls = {
  readonly files: TlsFiles;
  /** Whom their certificates must name, whatever their address. */
  readonly serverName: string;
};

export type RunnerClientOptions = {
  readonly runner: RunnerRegistration;
  readonly tls: RunnerTls | undefined;
  /** Names this scheduler to the runner. */
  readonly caller: string;
  /** Asked when a conversation broke: whether the runner lives all the same. */
  lives(): Promise<boolean>;
  readonly events: RunnerEvents;
};

const credentialsOf = (tls: RunnerTls | undefined) =>
  tls ? experimental.createCertificateProviderChannelCredentials(tls.files, tls.files) : credentials.createInsecure();

/** `dueMs` by the listening clock. */
type Sent = { readonly work: Work; readonly dueMs: number; cancelled: boolean };

const MESSAGE_LIMIT_BYTES = 64 * 2 ** 20;
/** For a runner that never says that it is alive, and for a connection that does not come about. */
const KEEPALIVE = { everyMs: 2_000, answerMs: 5_000 };
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2_000;
const WATCH_MS = 100;
/** A runner says something every 250 ms. */
const SILENCE_MS = 1_400;

export class RunnerClient implements Carrier {
  readonly runner: RunnerRegistration;
  readonly #caller: string;
  readonly #events: RunnerEvents;
  readonly #client: AlgoRunnerServiceClient;
  readonly #credits = new Map<string, number>();
  /** By invocation id, in the order of sending. */
  readonly #sent = new Map<string, Sent>();
  readonly #watch: NodeJS.Timeout;
  readonly #lives: () => Promise<boolean>;
  /** It holds an invocation beside which it may hold no other. */
  #holdsAlone = false;
  readonly #clock = new ListeningClock(WATCH_MS, performance.now());
  /** When something was last heard on this conversation, by that clock; undefined until it has said that it is alive. */
  #heardMs: number | undefined;
  #retryMs = FIRST_RETRY_MS;
  #state: ConversationState;

  constructor({ runner, tls, caller, lives, events }: RunnerClientOptions) {
    this.runner = runner;
    this.#lives = lives;
    this.#caller = caller;
    this.#events = events;
    this.#client = new AlgoRunnerServiceClient(runner.address, credentialsOf(tls), {
      ...(tls && {
        'grpc.ssl_target_name_override': tls.serverName,
        'grpc.default_authority': tls.serverName,
      }),
      'grpc.keepalive_time_ms': KEEPALIVE.everyMs,
      'grpc.keepalive_timeout_ms': KEEPALIVE.answerMs,
      'grpc.keepalive_permit_without_calls': 1,
      'grpc.max_receive_message_length': MESSAGE_LIMIT_BYTES,
      'grpc.max_send_message_length': MESSAGE_LIMIT_BYTES,
      'grpc.initial_reconnect_backoff_ms': FIRST_RETRY_MS,
      'grpc.max_reconnect_backoff_ms': LAST_RETRY_MS,
      // A conversation of its own for each client: one that breaks takes no other with it.
      'grpc.use_local_subchannel_pool': 1,
    });
    this.#state = { kind: 'opening', call: this.#open() };
    this.#watch = setInterval(() => this.#watchOnce(), WATCH_MS);
  }

  /** Whether it has granted credits and not broken since. */
  get isOpen(): boolean {
    return this.#state.kind === 'open';
  }

  credits(definition: string): number {
    return this.#state.kind === 'open' && !this.#holdsAlone ? (this.#credits.get(definition) ?? 0) : 0;
  }

  serves(definition: string): boolean {
    return this.#state.kind === 'open' && this.#credits.has(definition);
  }

  get holds(): number {
    return this.#sent.size;
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
      work.settle({ kind: 'unsent' });
      return;
    }
    this.#credits.set(invocation.definition, (this.#credits.get(invocation.definition) ?? 0) - 1);
    this.#holdsAlone ||= work.alone;
    const before = [...this.#sent.values()].map((sent) => sent.work.invocation);
    const limitMs = answerLimitMs(invocation, before, this.#runsAtOnce(invocation.definition));
    this.#sent.set(invocation.id, { work, dueMs: this.#clock.nowMs + limitMs, cancelled: false });
    this.#state.call.write({ message: { $case: 'invocation', value: invocation } });
  }

  cancel(work: Work): void {
    const sent = this.#sent.get(work.invocation.id);
    if (sent === undefined || sent.cancelled) return;
    sent.cancelled = true;
    this.recall(work);
  }

  recall({ invocation }: Work): void {
    if (!this.#sent.has(invocation.id) || !('call' in this.#state) || this.#state.kind === 'opening') return;
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
    this.#loseAll(state.kind === 'draining');
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
    if (this.#heardMs !== undefined || message?.$case === 'alive') this.#heardMs = this.#clock.nowMs;
    switch (message?.$case) {
      case 'credits':
        this.#granted(call, message.value);
        return;
      case 'result':
        this.#answered(message.value);
        return;
      case 'alive':
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
      this.#events.opened();
    }
    if (this.#state.kind !== 'open') return;
    this.#credits.set(definition, (this.#credits.get(definition) ?? 0) + count);
    this.#events.credits(definition);
  }

  #answered(result: Result): void {
    const sent = this.#sent.get(result.invocationId);
    if (sent === undefined) {
      this.#events.stray();
      return;
    }
    this.#sent.delete(result.invocationId);
    this.#events.answered(sent.work.invocation.definition, result);
    this.#retryMs = FIRST_RETRY_MS;
    const wasAlone = sent.work.alone && this.#holdsAlone;
    if (wasAlone) this.#holdsAlone = false;
    if (!sent.cancelled) sent.work.settle({ kind: 'answered', result });
    if (wasAlone) for (const definition of this.#credits.keys()) this.#events.credits(definition);
  }

  #break(why: string): void {
    const unanswered = this.#sent.size;
    const wasDraining = this.#state.kind === 'draining';
    this.#heardMs = undefined;
    const retry = setTimeout(() => {
      this.#state = { kind: 'opening', call: this.#open() };
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
    this.#state = { kind: 'broken', retry };
    this.#events.broken(why, unanswered);
    this.#loseAll(wasDraining);
  }

  /** Which of them the runner had begun is not known: it fetches several at once, and begins what is there first. */
  #loseAll(wasDraining: boolean): void {
    this.#credits.clear();
    this.#holdsAlone = false;
    const lost = [...this.#sent.values()];
    this.#sent.clear();
    const alone = lost.length === 1;
    const excused = alone && !wasDraining ? this.#lives() : Promise.resolve(wasDraining);
    for (const { work, dueMs, cancelled } of lost) {
      if (cancelled) continue;
      work.settle(dueMs <= this.#clock.nowMs ? { kind: 'overdue' } : { kind: 'lost', alone, excused });
    }
  }

  #runsAtOnce(definition: string): number {
    const served = this.runner.algorithms.find((one) => one.definition === definition);
    return served ? served.concurrency * (served.maxBatch ?? 1) : 1;
  }

  #watchOnce(): void {
    this.#clock.tick(performance.now());
    const { nowMs } = this.#clock;
    if (!('call' in this.#state)) return;
    if (this.#heardMs !== undefined && nowMs - this.#heardMs > SILENCE_MS) {
      this.#giveUp(this.#state.call, `it has been silent for ${SILENCE_MS} ms`);
      return;
    }
    const overdue = [...this.#sent.values()].find(({ dueMs }) => dueMs <= nowMs);
    if (overdue === undefined) return;
    // What it does with the next ones is likely the same.
    this.#retryMs = LAST_RETRY_MS;
    this.#giveUp(this.#state.call, `invocation ${overdue.work.invocation.id} was not answered in time`);
  }

  #giveUp(call: Call, why: string): void {
    this.#break(why);
    call.cancel();
  }
}
