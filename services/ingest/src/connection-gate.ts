/**
 * How many sources of one host may be opened at once. Sixty cameras behind one recorder that comes back would otherwise all connect in
 * the same second, and it would fall again. Who waits is let in by the order of coming.
 */

import type { Source } from './source.ts';

/** Gives the place back. Idempotent. */
export type Leave = () => void;

export class ConnectionGate {
  readonly #mostPerHost: number;
  /** Only hosts with a source inside or waiting. */
  readonly #hosts = new Map<string, Host>();

  constructor(mostPerHost: number) {
    this.#mostPerHost = mostPerHost;
  }

  /** How many hosts have an attempt under way. */
  get busyHosts(): number {
    return this.#hosts.size;
  }

  /**
   * Resolves when an attempt at this host may begin, at once where the host is undefined. Rejects with the signal's reason when it
   * aborts before.
   */
  async enter(host: string | undefined, signal: AbortSignal): Promise<Leave> {
    signal.throwIfAborted();
    if (host === undefined) return () => undefined;
    const state = this.#hosts.get(host) ?? { inside: 0, waiting: new Set() };
    this.#hosts.set(host, state);
    if (state.inside < this.#mostPerHost) state.inside += 1;
    else await turn(state, signal);
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      this.#leave(host, state);
    };
  }

  /** The place goes over to the first who waits. */
  #leave(host: string, state: Host): void {
    const [next] = state.waiting;
    if (next !== undefined) {
      state.waiting.delete(next);
      next();
      return;
    }
    state.inside -= 1;
    if (state.inside === 0) this.#hosts.delete(host);
  }
}

type Host = { inside: number; readonly waiting: Set<() => void> };

async function turn({ waiting }: Host, signal: AbortSignal): Promise<void> {
  const turned = Promise.withResolvers<void>();
  const give = (): void => turned.resolve();
  const abort = (): void => {
    // A place that was given in the same moment is kept: the caller sees the signal itself.
    if (waiting.delete(give)) turned.reject(signal.reason);
  };
  waiting.add(give);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await turned.promise;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The host that opening a source asks something of; undefined for files and devices. Ports of one host are one machine. */
export function connectionHost({ kind, input }: Source): string | undefined {
  if (kind !== 'url') return undefined;
  // Of what is no URL to Node and may be one to ffmpeg: between the credentials and the port.
  const host = URL.canParse(input) ? new URL(input).hostname : /^[^:]+:\/\/(?:[^/]*@)?([^/:?#]*)/.exec(input)?.[1];
  return host === undefined || host === '' ? undefined : host.toLowerCase();
}
