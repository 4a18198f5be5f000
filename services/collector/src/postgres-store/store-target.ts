/** Which database the settings name, and how its certificate is verified. */

import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { Fault } from '@stream-infer/core/fault';
import { environmentName, type Settings } from '@stream-infer/core/settings';
import { type StoreAddress, type StoreTls, storeAddress } from './store-address.ts';

export type StoreTarget = {
  readonly address: StoreAddress;
  readonly caPath: string | undefined;
  /** How to speak TLS; false: not at all. */
  readonly ssl: ConnectionOptions | false;
};

export type StoreSettings = Pick<Settings<'collector'>, 'storeUrl' | 'storeUrlFile' | 'storeCa'>;

/** Whether results are kept in a database. Throws CREDENTIALS_INVALID where the settings name two. */
export function namesDatabase({ storeUrl, storeUrlFile }: StoreSettings): boolean {
  if (storeUrl !== undefined && storeUrlFile !== undefined)
    throw new Fault(
      'CREDENTIALS_INVALID',
      'STORE_URL and STORE_URL_FILE are both set, and results have one store: keep one',
    );
  return storeUrl !== undefined || storeUrlFile !== undefined;
}

/** Files are read. Throws CONFIG_INVALID and CREDENTIALS_INVALID. */
export function storeTarget({ storeUrl, storeUrlFile, storeCa }: StoreSettings): StoreTarget {
  const [text, setting] =
    storeUrlFile === undefined
      ? [storeUrl ?? '', environmentName('storeUrl')]
      : [read('storeUrlFile', storeUrlFile), storeUrlFile];
  const address = storeAddress(text, setting, storeCa !== undefined);
  const ca = storeCa === undefined ? undefined : read('storeCa', storeCa);
  return { address, caPath: storeCa, ssl: sslOf(address.tls, ca) };
}

function sslOf(tls: StoreTls, ca: string | undefined): ConnectionOptions | false {
  const verified = ca === undefined ? {} : { ca };
  switch (tls) {
    case 'off':
      return false;
    case 'unverified':
      return { rejectUnauthorized: false };
    case 'verify-ca':
      return { ...verified, checkServerIdentity: () => undefined };
    case 'verify-full':
      return verified;
  }
}

function read(key: string, path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new Fault('CREDENTIALS_INVALID', `${path} cannot be read: ${environmentName(key)} names it`, {
      cause: error,
    });
  }
  if (text === '') throw new Fault('CREDENTIALS_INVALID', `${path} is empty: ${environmentName(key)} names it`);
  return text;
}
