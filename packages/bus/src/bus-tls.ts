/**
 * TLS towards NATS. The files are read again for each connection; the server's certificate must have the name that we came for, whatever
 * address it was found at.
 */

import { isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect, type TLSSocket } from 'node:tls';
import type { BusSettings } from '@stream-infer/core/bus-settings';
import { Fault } from '@stream-infer/core/fault';
import { environmentName } from '@stream-infer/core/settings';
import { tlsProblem } from '@stream-infer/core/tls-problem';
import { type SecretFile, secretFile } from './secret-file.ts';

type TlsSettings = Partial<Pick<BusSettings, 'natsCa' | 'natsCert' | 'natsKey' | 'natsServerName'>>;

const NAMES = {
  ca: environmentName('natsCa'),
  cert: environmentName('natsCert'),
  key: environmentName('natsKey'),
  name: environmentName('natsServerName'),
};

export class BusTls {
  /** The server says first what it is: the client's own option. */
  readonly handshakeFirst = false;
  readonly #ca: SecretFile | undefined;
  readonly #cert: SecretFile | undefined;
  readonly #key: SecretFile | undefined;
  readonly #name: string | undefined;
  #host = '';
  #trouble: Fault | undefined;

  /** Throws CREDENTIALS_INVALID. */
  constructor({ natsCa, natsCert, natsKey, natsServerName }: TlsSettings) {
    this.#ca = fileOf(NAMES.ca, natsCa);
    this.#cert = fileOf(NAMES.cert, natsCert);
    this.#key = fileOf(NAMES.key, natsKey);
    this.#name = natsServerName;
    if ((this.#cert === undefined) !== (this.#key === undefined))
      throw new Fault(
        'CREDENTIALS_INVALID',
        `a certificate for NATS goes with its key: set both ${NAMES.cert} and ${NAMES.key}`,
      );
  }

  /** What kept the newest connection from being; undefined where it came about. */
  get trouble(): Fault | undefined {
    return this.#trouble;
  }

  /** @param host that the URL names. Rejects where the server is not who it is to be. */
  start(socket: Socket, host: string): Promise<TLSSocket> {
    this.#trouble = undefined;
    this.#host = host;
    const name = this.#name ?? host;
    return new Promise((resolve, reject) => {
      const refuse = (error: unknown): void => reject(this.refused(error));
      try {
        const secured = connect({
          socket,
          ...(isIP(name) === 0 && { servername: name }),
          checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
          ...this.#files(),
        });
        secured.once('error', refuse).once('secureConnect', () => {
          secured.off('error', refuse);
          resolve(secured);
        });
      } catch (error) {
        refuse(error);
      }
    });
  }

  /** Notes what the TLS library, or a server that went without a word, said, and gives the fault of it. */
  refused(error: unknown): Fault {
    const side = { ca: this.#ca?.path, cert: this.#cert?.path, key: this.#key?.path, settings: NAMES };
    const said = error instanceof Error ? error.message : 'it closed the connection';
    const problem = tlsProblem(said, { peer: 'the NATS server', name: this.#name ?? this.#host, ...side });
    this.#trouble = new Fault('TLS_REFUSED', problem, { cause: error });
    return this.#trouble;
  }

  #files() {
    const [ca, cert, key] = [this.#ca, this.#cert, this.#key].map((file) => file?.text());
    return { ...(ca !== undefined && { ca }), ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) };
  }
}

/** Whether the URL or the settings ask for TLS; a server that requires it gets it all the same. */
export const asksForTls = (url: string, { natsCa, natsCert, natsKey, natsServerName }: TlsSettings): boolean =>
  (natsCa ?? natsCert ?? natsKey ?? natsServerName) !== undefined || /(?:^|,)\s*tls:/i.test(url);

const fileOf = (setting: string, path: string | undefined): SecretFile | undefined =>
  path === undefined ? undefined : secretFile(setting, path);
