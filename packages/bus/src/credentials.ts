/** As whom a process comes to NATS: a user, a token, an nkey, or a credentials file, out of its settings or its URL. Never printed (I8). */

import type { BusSettings } from '@stream-infer/core/bus-settings';
import { Fault } from '@stream-infer/core/fault';
import { environmentName } from '@stream-infer/core/settings';
import {
  type Authenticator,
  credsAuthenticator,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from 'nats';
import { secretFile } from './secret-file.ts';
import type { Servers } from './servers.ts';

export type BusCredentials = {
  /** Who comes, and by which file, as a message names it. */
  readonly who: string;
  /** Asked for each connection. */
  readonly authenticator?: Authenticator;
};

type CredentialSettings = Partial<
  Pick<
    BusSettings,
    'natsUser' | 'natsPassword' | 'natsPasswordFile' | 'natsToken' | 'natsTokenFile' | 'natsCreds' | 'natsNkey'
  >
>;

/** Throws CREDENTIALS_INVALID where a file is not what it is to be, or where the settings say two things. */
export function credentialsOf(settings: CredentialSettings, { user, pass, token }: Servers): BusCredentials {
  const { natsUser, natsPassword, natsPasswordFile, natsToken, natsTokenFile, natsCreds, natsNkey } = settings;
  oneOf(settings, ['natsUser', 'natsToken', 'natsTokenFile', 'natsCreds', 'natsNkey']);
  oneOf(settings, ['natsPassword', 'natsPasswordFile']);
  const password = natsPassword ?? natsPasswordFile;
  if (natsUser === undefined && password !== undefined)
    throw invalid('a password of NATS is set, and no user: set NATS_USER as well');
  if (natsCreds !== undefined) return ofFile('natsCreds', natsCreds, credsAuthenticator);
  if (natsNkey !== undefined) return ofFile('natsNkey', natsNkey, nkeyAuthenticator);
  if (natsToken !== undefined) return { who: 'the token', authenticator: tokenAuthenticator(natsToken) };
  if (natsTokenFile !== undefined) {
    const file = secretFile(environmentName('natsTokenFile'), natsTokenFile);
    return { who: `the token of ${file.path}`, authenticator: tokenAuthenticator(file.text) };
  }
  if (natsUser !== undefined && natsPasswordFile !== undefined) {
    const file = secretFile(environmentName('natsPasswordFile'), natsPasswordFile);
    const who = `user ${natsUser} with the password of ${file.path}`;
    return { who, authenticator: usernamePasswordAuthenticator(natsUser, file.text) };
  }
  if (natsUser !== undefined)
    return { who: `user ${natsUser}`, authenticator: usernamePasswordAuthenticator(natsUser, natsPassword) };
  if (user !== undefined)
    return { who: `user ${user} of the URL`, authenticator: usernamePasswordAuthenticator(user, pass) };
  if (token !== undefined) return { who: 'the token of the URL', authenticator: tokenAuthenticator(token) };
  return { who: 'nobody' };
}

function oneOf(settings: CredentialSettings, keys: readonly (keyof CredentialSettings)[]): void {
  const given = keys.filter((key) => settings[key] !== undefined).map(environmentName);
  if (given.length > 1) throw invalid(`${given.join(' and ')} are both set, and one process comes as one: keep one`);
}

function ofFile(
  key: 'natsCreds' | 'natsNkey',
  path: string,
  create: (content: () => Uint8Array) => Authenticator,
): BusCredentials {
  const file = secretFile(environmentName(key), path);
  let good = file.text();
  // The client's reader of a credentials file wants its last line ended.
  const end = key === 'natsCreds' ? '\n' : '';
  const authenticator = create(() => new TextEncoder().encode(good + end));
  const isGood = (): boolean => {
    try {
      authenticator('a nonce');
      return true;
    } catch {
      return false;
    }
  };
  if (!isGood()) throw invalid(`${path} is no ${KINDS[key]}: ${environmentName(key)} names it`);
  return {
    who: `the ${KINDS[key]} ${path}`,
    authenticator(nonce) {
      // What is thrown here would close the connection for ever.
      const before = good;
      good = file.text();
      if (!isGood()) good = before;
      return authenticator(nonce);
    },
  };
}

const KINDS = { natsCreds: 'credentials file', natsNkey: 'seed of an nkey' } as const;

const invalid = (problem: string): Fault => new Fault('CREDENTIALS_INVALID', problem);
