/** Calls a runner as a scheduler would, one conversation at a time, and remembers all that it said. */

import { type ClientDuplexStream, credentials, type ServiceError } from '@grpc/grpc-js';
import {
  AlgoRunnerServiceClient,
  type InvokeRequest,
  type InvokeResponse,
} from '@stream-infer/proto/stream_infer/v1/algo_runner';
import { Encoding, Frame, PixelFormat } from '@stream-infer/proto/stream_infer/v1/frame';
import { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';
import type { Fault, Result } from '@stream-infer/proto/stream_infer/v1/result';
import { eventually } from './eventually.ts';

export class RunnerCaller {
  readonly client: AlgoRunnerServiceClient;
  readonly #call: ClientDuplexStream<InvokeRequest, InvokeResponse>;
  /** How often the runner said that it lives. */
  alive = 0;
  /** Everything else that the runner wrote, in order. */
  readonly heard: InvokeResponse[] = [];
  /** How the conversation ended; undefined while it goes on. */
  ended: { readonly code: number; readonly details: string } | undefined;

  constructor(address: string) {
    this.client = new AlgoRunnerServiceClient(address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': 64 * 2 ** 20,
      'grpc.max_send_message_length': 64 * 2 ** 20,
    });
    this.#call = this.client.invoke();
    this.#call.on('data', (response: InvokeResponse) => {
      if (response.message?.$case === 'alive') this.alive += 1;
      else this.heard.push(response);
    });
    this.#call.on('error', (error: ServiceError) => {
      this.ended = { code: error.code, details: error.details };
    });
    this.#call.on('end', () => {
      this.ended ??= { code: 0, details: 'OK' };
    });
  }

  send(message: NonNullable<InvokeRequest['message']>): void {
    this.#call.write({ message });
  }

  hello(): this {
    this.send({ $case: 'hello', value: { caller: 'test' } });
    return this;
  }

  invoke(invocation: Invocation): void {
    this.send({ $case: 'invocation', value: invocation });
  }

  cancel(invocationId: string): void {
    this.send({ $case: 'cancel', value: { invocationId } });
  }

  /** Says that nothing more comes. */
  halfClose(): void {
    this.#call.end();
  }

  /** Credits granted so far, by definition. */
  get granted(): Readonly<Record<string, number>> {
    const granted: Record<string, number> = {};
    for (const { message } of this.heard) {
      if (message?.$case !== 'credits') continue;
      const { definition, count } = message.value;
      granted[definition] = (granted[definition] ?? 0) + count;
    }
    return granted;
  }

  get results(): Result[] {
    return this.heard.flatMap(({ message }) => (message?.$case === 'result' ? [message.value] : []));
  }

  /** The result of one invocation, once it is there. */
  async result(invocationId: string): Promise<Result> {
    return eventually(`a result of ${invocationId}`, () =>
      this.results.find((result) => result.invocationId === invocationId),
    );
  }

  /** Sends and waits for the answer. */
  async ask(invocation: Invocation): Promise<Result> {
    this.invoke(invocation);
    return this.result(invocation.id);
  }

  close(): void {
    this.#call.cancel();
    this.client.close();
  }
}

/** What the algorithm returned; throws what the result is instead. */
export function dataOf(result: Result): unknown {
  if (result.outcome?.$case !== 'data') throw new Error(`no data but ${JSON.stringify(result.outcome)}`);
  return JSON.parse(result.outcome.value.toString('utf8'));
}

export function faultOf(result: Result): Fault {
  if (result.outcome?.$case !== 'fault') throw new Error(`no fault but ${JSON.stringify(result.outcome)}`);
  return result.outcome.value;
}

/** An inline frame of 4×2 grey pixels, each of them n. */
export const grayFrame = (n: number, differs: Partial<Frame> = {}): Frame => ({
  ...Frame.decode(new Uint8Array()),
  n,
  sourceIndex: 10 * n,
  presentationTimeUs: n * 40_000,
  positionNumerator: n,
  positionDenominator: 25,
  width: 4,
  height: 2,
  pixelFormat: PixelFormat.PIXEL_FORMAT_GRAY,
  encoding: Encoding.ENCODING_RAW,
  sourceWidth: 8,
  sourceHeight: 4,
  content: { $case: 'inline', value: Buffer.alloc(8, n) },
  ...differs,
});

/** A window of one inline frame, unless it says otherwise. */
export function invocationOf(definition: string, n: number, differs: Partial<Invocation> = {}): Invocation {
  const stream = differs.stream ?? 'cam';
  return {
    ...Invocation.decode(new Uint8Array()),
    id: `${stream}/r1/${definition}/${n}/1`,
    stream,
    run: 'r1',
    algorithm: definition,
    definition,
    n,
    key: String(n / 25),
    window: { frames: [grayFrame(n)] },
    timeoutMs: 10_000,
    attempt: 1,
    ...differs,
  };
}
