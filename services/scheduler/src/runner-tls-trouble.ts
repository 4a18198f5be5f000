/** Why a runner is not called: TLS on one side alone, or certificates that one of both does not take. */

import type { RunnerRegistration } from '@stream-infer/bus/registry';
import { Fault } from '@stream-infer/core/fault';
import { isTlsProblem, tlsProblem } from '@stream-infer/core/tls-problem';
import type { RunnerTls } from './runner-client.ts';

const FILES = 'GRPC_CA, GRPC_CERT and GRPC_KEY';
const SETTINGS = { ca: 'GRPC_CA', cert: 'GRPC_CERT', key: 'GRPC_KEY', name: 'GRPC_SERVER_NAME' };

/** gRPC's words for a connection that was there, and was ended before it could be used: so a server refuses a certificate since TLS 1.3. */
const BROKEN_OFF = /Last error: Failed to connect/;

type Runner = Pick<RunnerRegistration, 'id' | 'address' | 'tls'>;

const named = ({ id, address }: Runner): string => `runner ${id} at ${address}`;

/** The fault of a runner that speaks TLS where we do not, or the other way about. Nothing falls back to plain text. */
export function mismatch(runner: Runner, tls: RunnerTls | undefined): Fault | undefined {
  if ((runner.tls === true) === (tls !== undefined)) return undefined;
  return new Fault(
    'TLS_REFUSED',
    tls
      ? `${named(runner)} speaks no TLS, and this scheduler nothing else: set ${FILES} of the runner`
      : `${named(runner)} speaks TLS alone, and this scheduler none: set ${FILES} of the scheduler`,
  );
}

/** Tells of each trouble once, until the conversation came about. */
export class TlsTrouble {
  readonly #runner: Runner;
  readonly #tls: RunnerTls | undefined;
  #told = '';

  constructor(runner: Runner, tls: RunnerTls | undefined) {
    this.#runner = runner;
    this.#tls = tls;
  }

  over(): void {
    this.#told = '';
  }

  /** @param why the conversation broke. Undefined where that has nothing to do with TLS, or is told already. */
  of(why: string): Fault | undefined {
    if (!this.#tls || !(isTlsProblem(why) || BROKEN_OFF.test(why))) return undefined;
    const { files, serverName: name } = this.#tls;
    const problem = tlsProblem(why, { peer: named(this.#runner), name, ...files.paths, settings: SETTINGS });
    if (problem === this.#told) return undefined;
    this.#told = problem;
    return new Fault('TLS_REFUSED', problem);
  }
}
