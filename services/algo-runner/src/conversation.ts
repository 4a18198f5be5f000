/**
 * One caller's `Invoke` call: credits out, invocations in, results out (G-2 to G-6).
 *
 * Invariants: the caller holds credits for one batch more of each algorithm than its instances run, so that the next ones are here before
 * the last are answered, and no more pile up (D13); a result is written before the credit that replaces its invocation's;
 * when the call breaks, what it asked for is cancelled.
 */

import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import { redactUrl } from '@stream-infer/core/redact-url';
import type { InvokeRequest, InvokeResponse } from '@stream-infer/proto/stream_infer/v1/algo_runner';
import type { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';
import type { Result } from '@stream-infer/proto/stream_infer/v1/result';
import type { Cancel } from './served-algorithm.ts';
import type { Answer } from './task.ts';

export type Call = ServerDuplexStream<InvokeRequest, InvokeResponse>;

/** What a caller can ask for. */
export type Offer = {
  readonly definition: string;
  readonly concurrency: number;
  readonly maxBatch: number;
  version(): string;
  submit(invocation: Invocation, answer: (answer: Answer) => void): Cancel;
  /** The instance of an algorithm with memory is wanted no more: `<stream>/<run>/<algorithm>`. */
  forget(instance: string): void;
};

type ConversationState =
  | { readonly kind: 'awaiting-hello' }
  | { readonly kind: 'open' }
  /** The runner drains: no more credits; the call ends a moment after the last answer. */
  | { readonly kind: 'draining' }
  /** The caller has said all it wants to; the call ends with the last answer. */
  | { readonly kind: 'half-closed' }
  /** Nothing more is written. */
  | { readonly kind: 'ending' }
  | { readonly kind: 'closed' };

/** What a caller sent before it heard of a drain arrives within this time of it, and is given back (G-6). */
const DRAIN_GRACE_MS = 200;
/** How often the caller hears that the runner lives (G-10). */
const ALIVE_MS = 250;

export class Conversation {
  readonly #call: Call;
  readonly #offers: ReadonlyMap<string, Offer>;
  /** By definition: what the caller may still send. */
  readonly #credits = new Map<string, number>();
  readonly #underWay = new Map<string, Cancel>();
  #state: ConversationState = { kind: 'awaiting-hello' };
  #grace: NodeJS.Timeout | undefined;
  #alive: NodeJS.Timeout | undefined;

  /** @param ended is called once, when the call is over. */
  constructor(call: Call, offers: ReadonlyMap<string, Offer>, ended: () => void) {
    this.#call = call;
    this.#offers = offers;
    call.on('data', (request: InvokeRequest) => this.#heard(request));
    call.once('end', () => {
      if (this.#isOver) return;
      this.#state = { kind: 'half-closed' };
      this.#endIfAnswered();
    });
    const broken = (): void => {
      if (this.#state.kind === 'closed') return;
      this.#close();
      ended();
    };
    call.once('cancelled', broken);
    call.once('error', broken);
    call.once('close', broken);
    call.once('finish', broken);
  }

  credits(definition: string): number {
    return this.#credits.get(definition) ?? 0;
  }

  /** Tells the caller to send nothing more, and ends the call with the last answer. */
  drain(): void {
    if (this.#isOver || this.#state.kind === 'draining') return;
    this.#state = { kind: 'draining' };
    this.#credits.clear();
    this.#write({ $case: 'draining', value: {} });
    this.#endIfAnswered();
  }

  get #isOver(): boolean {
    return this.#state.kind === 'ending' || this.#state.kind === 'closed';
  }

  #heard({ message }: InvokeRequest): void {
    if (this.#isOver) return;
    if (this.#state.kind === 'awaiting-hello' && message?.$case !== 'hello') {
      this.#refuse(status.FAILED_PRECONDITION, 'the first message of a conversation must be Hello');
      return;
    }
    switch (message?.$case) {
      case 'hello':
        if (this.#state.kind === 'awaiting-hello') this.#greet();
        return;
      case 'invocation':
        this.#invoke(message.value);
        return;
      case 'cancel':
        this.#underWay.get(message.value.invocationId)?.();
        return;
      case 'forget': {
        const { definition, stream, run, algorithm } = message.value;
        this.#offers.get(definition)?.forget(`${stream}/${run}/${algorithm}`);
        return;
      }
      case undefined:
        return;
    }
  }

  #greet(): void {
    this.#state = { kind: 'open' };
    this.#sayAlive();
    this.#alive = setInterval(() => this.#sayAlive(), ALIVE_MS);
    for (const { definition, concurrency, maxBatch } of this.#offers.values())
      this.#grant(definition, (concurrency + 1) * maxBatch);
  }

  #invoke(invocation: Invocation): void {
    const { id, definition } = invocation;
    const offer = this.#offers.get(definition);
    const credits = this.credits(definition);
    // What was sent before the caller heard that the runner drains is given back like the rest (G-6).
    if (!offer || (credits === 0 && this.#state.kind === 'open')) {
      const problem = offer ? 'without a credit' : 'of an algorithm that this runner does not serve';
      this.#refuse(status.RESOURCE_EXHAUSTED, `invocation ${id} of ${definition} was sent ${problem}`);
      return;
    }
    if (credits > 0) this.#credits.set(definition, credits - 1);
    let answered = false;
    const cancel = offer.submit(invocation, (answer) => {
      answered = true;
      this.#underWay.delete(id);
      this.#write({ $case: 'result', value: resultMessage(id, answer, answer.version ?? offer.version()) });
      if (this.#state.kind === 'open') this.#grant(definition, 1);
      this.#endIfAnswered();
    });
    if (!answered) this.#underWay.set(id, cancel);
  }

  #grant(definition: string, count: number): void {
    this.#credits.set(definition, this.credits(definition) + count);
    this.#write({ $case: 'credits', value: { definition, count } });
  }

  #write(message: NonNullable<InvokeResponse['message']>): void {
    if (!this.#isOver) this.#call.write({ message });
  }

  #sayAlive(): void {
    this.#write({ $case: 'alive', value: {} });
  }

  #endIfAnswered(): void {
    if (this.#underWay.size > 0) return;
    if (this.#state.kind === 'half-closed') this.#end();
    if (this.#state.kind !== 'draining') return;
    clearTimeout(this.#grace);
    this.#grace = setTimeout(() => {
      if (this.#state.kind === 'draining' && this.#underWay.size === 0) this.#end();
    }, DRAIN_GRACE_MS);
  }

  #end(): void {
    this.#state = { kind: 'ending' };
    this.#call.end();
  }

  #refuse(code: status, details: string): void {
    // The call answers an error with its status, and is over.
    this.#call.emit('error', Object.assign(new Error(details), { code, details: redactUrl(details) }));
  }

  #close(): void {
    this.#state = { kind: 'closed' };
    clearTimeout(this.#grace);
    clearInterval(this.#alive);
    this.#credits.clear();
    for (const cancel of this.#underWay.values()) cancel();
    this.#underWay.clear();
  }
}

function resultMessage(invocationId: string, { outcome, timings }: Answer, version: string): Result {
  return {
    invocationId,
    outcome:
      outcome.kind === 'data'
        ? { $case: 'data', value: bufferOf(outcome.data) }
        : {
            $case: 'fault',
            value: { code: outcome.fault.code, message: outcome.fault.message, notStarted: outcome.notStarted },
          },
    snapshot: outcome.snapshot && bufferOf(outcome.snapshot),
    timings: {
      queueUs: uint32(timings.queueUs),
      fetchUs: uint32(timings.fetchUs),
      runUs: uint32(timings.runUs),
      batchWindows: timings.batchWindows,
    },
    version,
  };
}

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const uint32 = (value: number): number => Math.min(Math.max(value, 0), 0xffff_ffff);
