/**
 * Our certificate, its key, and the certificates that others' are verified by: read again when their files change, so that new connections use the
 * new ones and nothing restarts. Files that do not belong together, as in the middle of being replaced, are not used; what was good
 * before goes on to count. It is a certificate provider of gRPC as it stands.
 */

import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { Fault } from '@stream-infer/core/fault';
import { type WatchedFiles, watchFiles } from './watched-files.ts';

export type TlsPaths = { readonly ca: string; readonly cert: string; readonly key: string };

type Authorities = { readonly caCertificate: Buffer };
type Identity = { readonly certificate: Buffer; readonly privateKey: Buffer };
type Listener<T> = (update: T | null) => void;

type Read = { readonly authorities: Authorities; readonly identity: Identity };

export class TlsFiles {
  readonly paths: TlsPaths;
  readonly #watched: WatchedFiles<Read>;
  readonly #authorityListeners: Set<Listener<Authorities>>;
  readonly #identityListeners: Set<Listener<Identity>>;

  private constructor(
    paths: TlsPaths,
    watched: WatchedFiles<Read>,
    authorityListeners: Set<Listener<Authorities>>,
    identityListeners: Set<Listener<Identity>>,
  ) {
    this.paths = paths;
    this.#watched = watched;
    this.#authorityListeners = authorityListeners;
    this.#identityListeners = identityListeners;
  }

  /** Rejects with CREDENTIALS_INVALID. */
  static async open(paths: TlsPaths, report: (fault: Fault) => void): Promise<TlsFiles> {
    const authorityListeners = new Set<Listener<Authorities>>();
    const identityListeners = new Set<Listener<Identity>>();
    const watched = await watchFiles({
      paths: [paths.ca, paths.cert, paths.key],
      read: () => read(paths),
      changed({ authorities, identity }) {
        for (const listener of authorityListeners) listener(authorities);
        for (const listener of identityListeners) listener(identity);
      },
      report,
    });
    return new TlsFiles(paths, watched, authorityListeners, identityListeners);
  }

  addCaCertificateListener(listener: Listener<Authorities>): void {
    this.#authorityListeners.add(listener);
    process.nextTick(() => listener(this.#watched.current.authorities));
  }

  removeCaCertificateListener(listener: Listener<Authorities>): void {
    this.#authorityListeners.delete(listener);
  }

  addIdentityCertificateListener(listener: Listener<Identity>): void {
    this.#identityListeners.add(listener);
    process.nextTick(() => listener(this.#watched.current.identity));
  }

  removeIdentityCertificateListener(listener: Listener<Identity>): void {
    this.#identityListeners.delete(listener);
  }

  /** Idempotent. */
  close(): void {
    this.#watched.close();
  }
}

async function read(paths: TlsPaths): Promise<Read> {
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
  return { authorities: { caCertificate }, identity: { certificate, privateKey } };
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
