/**
 * A client's link to NATS that reads along: which of the client's requests the server refused, in the server's own words, whatever the client
 * makes of them; and that can keep messages of the server back, so that the client is told by the server's refusals alone.
 */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

/** The server's raw answer to a request. */
export type Refusal = {
  /** What was published, or asked. */
  readonly subject: string;
  /** `err_code` of the answer; 503 where nothing listens on the subject any more. */
  readonly code: number;
};

export type BusWire = {
  readonly url: string;
  /** In the order of the answers. */
  readonly refusals: readonly Refusal[];
  /** What the server sends on these subjects waits from now on. */
  hold(isHeld: (subject: string) => boolean): void;
  /** What waited comes, and what follows. */
  release(): void;
  close(): Promise<void>;
};

/** @param url of the server. */
export async function startBusWire(url: string): Promise<BusWire> {
  const port = Number(new URL(url).port);
  const sockets = new Set<Socket>();
  const refusals: Refusal[] = [];
  let isHeld = (_subject: string): boolean => false;
  const held: (() => void)[] = [];
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    /** Inbox of a request → its subject. */
    const asked = new Map<string, string>();
    const fromClient = new Operations(({ verb, subject, reply, bytes }) => {
      if (verb.endsWith('PUB') && reply !== undefined) asked.set(reply, subject);
      far.write(bytes);
    });
    const fromServer = new Operations((operation) => {
      const { verb, subject, bytes } = operation;
      const request = verb.endsWith('MSG') ? asked.get(subject) : undefined;
      const code = request === undefined ? undefined : refusalIn(operation);
      if (request !== undefined) asked.delete(subject);
      if (request !== undefined && code !== undefined) refusals.push({ subject: request, code });
      if (verb.endsWith('MSG') && isHeld(subject)) held.push(() => near.write(bytes));
      else near.write(bytes);
    });
    for (const [from, to, operations] of [
      [near, far, fromClient],
      [far, near, fromServer],
    ] as const) {
      sockets.add(from);
      from.on('data', (data) => operations.push(data));
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on('error', () => from.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `nats://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refusals,
    hold(condition) {
      isHeld = condition;
    },
    release() {
      isHeld = () => false;
      for (const send of held.splice(0)) send();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** One operation of the protocol of NATS, such as `HPUB subject reply 12 34`, with its payload. */
type Operation = {
  readonly verb: string;
  readonly subject: string;
  /** Of a message that is sent, where an answer is expected. */
  readonly reply: string | undefined;
  readonly payload: Buffer;
  /** All of it, as it came. */
  readonly bytes: Buffer;
};

const LINE_END = '\r\n';

/** Cuts what one side sends into operations. */
class Operations {
  readonly #onOperation: (operation: Operation) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onOperation: (operation: Operation) => void) {
    this.#onOperation = onOperation;
  }

  push(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (let next = this.#next(); next; next = this.#next()) {
      this.#rest = this.#rest.subarray(next.bytes.length);
      this.#onOperation(next);
    }
  }

  #next(): Operation | undefined {
    const end = this.#rest.indexOf(LINE_END);
    if (end < 0) return undefined;
    const [verb = '', subject = '', ...others] = this.#rest.toString('latin1', 0, end).split(' ');
    const payloadAt = end + LINE_END.length;
    // The headers' size comes before the whole's; the subscription of a message before its reply.
    const numbers = verb.startsWith('H') ? 2 : 1;
    const size = /^H?(PUB|MSG)$/.test(verb) ? Number(others.at(-1)) : undefined;
    const after = size === undefined ? payloadAt : payloadAt + size + LINE_END.length;
    if (this.#rest.length < after) return undefined;
    const named = others.slice(verb.endsWith('MSG') ? 1 : 0, -numbers);
    return {
      verb,
      subject,
      reply: named[0],
      payload: this.#rest.subarray(payloadAt, payloadAt + (size ?? 0)),
      bytes: this.#rest.subarray(0, after),
    };
  }
}

const NO_RESPONDERS = 503;

/** What the server refused a request with; undefined where it did not. */
function refusalIn({ payload }: Operation): number | undefined {
  const text = payload.toString();
  if (text.startsWith(`NATS/1.0 ${NO_RESPONDERS}`)) return NO_RESPONDERS;
  const code = /"err_code":\s*(\d+)/.exec(text)?.[1];
  return code === undefined ? undefined : Number(code);
}
