/** Keys of NATS, and an installation that knows its users by JWTs that they sign, as `nk` and `nsc` make them. */

import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';

/** What a key is for stands in its first bits, which make its first letter. */
const KINDS = { account: 0, operator: 14 << 3, user: 20 << 3 } as const;
const SEED = 18 << 3;

type Nkey = {
  readonly publicKey: string;
  readonly seed: string;
  sign(data: string): Buffer;
};

function nkey(kind: keyof typeof KINDS): Nkey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = (value: string | undefined): Buffer => Buffer.from(value ?? '', 'base64url');
  const prefix = KINDS[kind];
  return {
    publicKey: encode([prefix, ...raw(publicKey.export({ format: 'jwk' }).x)]),
    seed: encode([SEED | (prefix >> 5), (prefix & 31) << 3, ...raw(privateKey.export({ format: 'jwk' }).d)]),
    sign: (data) => sign(null, Buffer.from(data), privateKey),
  };
}

/** In base32, its CRC-16 behind it. */
function encode(bytes: readonly number[]): string {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  const bits = [...bytes, crc & 255, crc >> 8].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const digits = bits.match(/.{1,5}/g) ?? [];
  return digits.map((digit) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(digit.padEnd(5, '0'), 2)]).join('');
}

export const userNkey = (): Pick<Nkey, 'publicKey' | 'seed'> => nkey('user');

function jwt(issuer: Nkey, subject: Nkey, nats: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const iat = Math.floor(Date.now() / 1_000);
  const claims = { jti: randomUUID(), iat, iss: issuer.publicKey, name: 'test', sub: subject.publicKey };
  const signed = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part({ ...claims, nats: { ...nats, version: 2 } })}`;
  return `${signed}.${issuer.sign(signed).toString('base64url')}`;
}

/** One operator, account and user. */
export function jwtInstallation(): { readonly configuration: string; readonly creds: string } {
  const [operator, system, account, user] = [nkey('operator'), nkey('account'), nkey('account'), nkey('user')];
  const unlimited = { subs: -1, data: -1, payload: -1, conn: -1, leaf: -1, imports: -1, exports: -1, wildcards: true };
  const limits = { ...unlimited, mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
  const accounts = [
    `${account.publicKey}: ${jwt(operator, account, { type: 'account', limits })}`,
    `${system.publicKey}: ${jwt(operator, system, { type: 'account', limits: unlimited })}`,
  ];
  return {
    configuration: `operator: ${jwt(operator, operator, { type: 'operator', system_account: system.publicKey })}
resolver: MEMORY
resolver_preload: {${accounts.join(', ')}}
`,
    creds: `-----BEGIN NATS USER JWT-----
${jwt(account, user, { type: 'user', subs: -1, data: -1, payload: -1 })}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
${user.seed}
------END USER NKEY SEED------
`,
  };
}
