/**
 * Our certificate, its key, and the certificates that others' are verified by: read again when their files change, so that new connections use the
 * new ones and nothing restarts. Files that do not belong together, as in the middle of being replaced, are not used; what was good
 * before goes on to count. It is a certificate provider of gRPC as it stands.
 */

import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { Fault, toFault } from '@stream-infer/core/fault';

export type TlsPaths = { readonly ca: string; readonly cert: string; readonly key: string };

type Authorities = { readonly caCertificate: Buffer };
type Identity = { readonly certificate: Buffer; readonly privateKey: Buffer };
type Listener<T> = (update: T | null) => void;

type Read = { readonly state: string; readonly authorities: Authorities; readonly identity: Identity };

const LOOK_MS = 1_000;

export class TlsFiles {
  readonly paths: TlsPaths;
  readonly #authorityListeners = new Set<Listener<Authorities>>();
  readonly #identityListeners = new Set<Listener<Identity>>();
  readonly #timer: NodeJS.Timeout;
  #read: Read;
  #looking = false;
  #told = '';

  private constructor(paths: TlsPaths, read: Read, report: (fault: Fault) => void) {
    this.paths = paths;
    this.#read = read;
    this.#timer = setInterval(() => void this.#look(report), LOOK_MS).unref();
  }

  /** Rejects with CREDENTIALS_INVALID. */
  static async open(paths: TlsPaths, report: (fault: Fault) => void): Promise<TlsFiles> {
    return new TlsFiles(paths, await read(paths), report);
  }

  addCaCertificateListener(listener: Listener<Authorities>): void {
    this.#authorityListeners.add(listener);
    process.nextTick(() => listener(this.#read.authorities));
  }

  removeCaCertificateListener(listener: Listener<Authorities>): void {
    this.#authorityListeners.delete(listener);
  }

  addIdentityCertificateListener(listener: Listener<Identity>): void {
    this.#identityListeners.add(listener);
    process.nextTick(() => listener(this.#read.identity));
  }

  removeIdentityCertificateListener(listener: Listener<Identity>): void {
    this.#identityListeners.delete(listener);
  }

  /** Idempotent. */
  close(): void {
    clearInterval(this.#timer);
  }

  async #look(report: (fault: Fault) => void): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      if ((await stateOf(this.paths)) === this.#read.state) return;
      this.#read = await read(this.paths);
      this.#told = '';
      for (const listener of this.#authorityListeners) listener(this.#read.authorities);
      for (const listener of this.#identityListeners) listener(this.#read.identity);
    } catch (error) {
      const fault = toFault(error, 'CREDENTIALS_INVALID', 'the files for TLS cannot be read');
      if (fault.message !== this.#told) report(fault);
      this.#told = fault.message;
    } finally {
      this.#looking = false;
    }
  }
}

/** Changes with each of the files: also where a link leads to another, as a mounted Secret's does. */
async function stateOf({ ca, cert, key }: TlsPaths): Promise<string> {
  const states = await Promise.all(
    [ca, cert, key].map((path) =>
      stat(path).then(
        ({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`,
        () => 'none',
      ),
    ),
  );
  return states.join();
}

async function read(paths: TlsPaths): Promise<Read> {
  const state = await stateOf(paths);
  const [caCertificate, certificate, privateKey] = await Promise.all([
    content(paths.ca),
    content(paths.cert),
    content(paths.key),
  ]);
  try {
    createSecureContext({ ca: caCertificate, cert: certificate, key: privateKey });
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const { ca, cert, key } = paths;
    throw new Fault(
      'CREDENTIALS_INVALID',
      `${ca}, ${cert} and ${key} are no certificates and key that belong together (${said})`,
      { cause: error },
    );
  }
  return { state, authorities: { caCertificate }, identity: { certificate, privateKey } };
}

const content = (path: string): Promise<Buffer> =>
  readFile(path).catch((error: unknown) => {
    throw new Fault('CREDENTIALS_INVALID', `${path} cannot be read: GRPC_CA, GRPC_CERT and GRPC_KEY name the files`, {
      cause: error,
    });
  });

type TlsSettings = {
  readonly grpcCa?: string | undefined;
  readonly grpcCert?: string | undefined;
  readonly grpcKey?: string | undefined;
};

/** Undefined where gRPC is to speak no TLS. Rejects with CREDENTIALS_INVALID. */
export async function grpcTls(
  { grpcCa: ca, grpcCert: cert, grpcKey: key }: TlsSettings,
  report: (fault: Fault) => void,
): Promise<TlsFiles | undefined> {
  if (ca !== undefined && cert !== undefined && key !== undefined) return TlsFiles.open({ ca, cert, key }, report);
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  throw new Fault(
    'CREDENTIALS_INVALID',
    'TLS between scheduler and runners needs all of GRPC_CA, GRPC_CERT and GRPC_KEY, and some of them are not set',
  );
}
