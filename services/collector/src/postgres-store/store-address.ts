/** Where the database is and as whom we come, out of its URL. Pure; no message quotes the URL (I8). */

import { Fault } from '@stream-infer/core/fault';

/** How much of the server's certificate is looked at, if there is TLS at all. */
export type StoreTls = 'off' | 'unverified' | 'verify-ca' | 'verify-full';

export type StoreHost = { readonly host: string; readonly port: number };

export type StoreAddress = {
  /** Of which one takes writes: the others stand by. */
  readonly hosts: readonly StoreHost[];
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly tls: StoreTls;
};

const URL_PARTS =
  /^postgres(?:ql)?:\/\/(?:(?<userInfo>[^/]*)@)?(?<hosts>[^/@?]+)(?:\/(?<database>[^?/]*))?(?:\?(?<query>.*))?$/;
const HOST = /^(?<host>\[[0-9A-Fa-f:.%]+\]|[^:[\]]+)(?::(?<port>\d{1,5}))?$/;
const DEFAULT_PORT = 5432;
const FORM = 'postgres://user:password@host:5432/database, each part percent-encoded';

/**
 * @param setting that the URL comes from, as messages name it
 * @param hasCa whether certificates are given that the server's is verified by: with them there is TLS unless the URL says how
 *
 * Throws CONFIG_INVALID.
 */
export function storeAddress(text: string, setting: string, hasCa: boolean): StoreAddress {
  const groups = URL_PARTS.exec(text.trim())?.groups;
  if (groups === undefined) throw invalid(setting, `is no URL of a PostgreSQL database: it is ${FORM}`);
  const { userInfo = '', hosts = '', database = '', query = '' } = groups;
  const [, user = '', password] = /^([^:]*)(?::(.*))?$/.exec(userInfo) ?? [];
  if (user === '') throw invalid(setting, `names no user: it is ${FORM}`);
  return {
    hosts: hosts.split(',').map((host) => storeHost(host, setting)),
    user: decoded(user, setting),
    password: password === undefined ? undefined : decoded(password, setting),
    database: decoded(database === '' ? user : database, setting),
    tls: storeTls(new URLSearchParams(query), setting, hasCa),
  };
}

/** As messages name the database: without the user and the password. */
export const storeName = ({ hosts, database }: Pick<StoreAddress, 'hosts' | 'database'>): string =>
  `${hosts.map(({ host, port }) => `${host}:${port}`).join(',')}/${database}`;

function storeHost(text: string, setting: string): StoreHost {
  const { host, port = DEFAULT_PORT } = HOST.exec(text)?.groups ?? {};
  if (host === undefined || Number(port) > 65_535)
    throw invalid(setting, `has a host that is none: hosts are host:port, several with commas`);
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function storeTls(query: URLSearchParams, setting: string, hasCa: boolean): StoreTls {
  for (const [name, value] of query) {
    // One that takes writes is looked for in any case.
    if (name === 'target_session_attrs' && ['read-write', 'primary', 'any'].includes(value)) continue;
    if (name !== 'sslmode') throw invalid(setting, `has the parameter ${name} with what is not known here: sslmode is`);
  }
  const mode = query.get('sslmode') ?? (hasCa ? 'verify-full' : 'disable');
  switch (mode) {
    case 'disable':
      if (hasCa) throw invalid(setting, 'has sslmode=disable, and STORE_CA asks for TLS: keep one of them');
      return 'off';
    case 'require':
      return hasCa ? 'verify-ca' : 'unverified';
    case 'verify-ca':
    case 'verify-full':
      return mode;
    default:
      throw invalid(setting, 'has an sslmode that is not known here: disable, require, verify-ca and verify-full are');
  }
}

function decoded(text: string, setting: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(setting, 'has a percent sign that encodes nothing: write a percent sign as %25');
  }
}

const invalid = (setting: string, what: string): Fault => new Fault('CONFIG_INVALID', `${setting} ${what}`);
