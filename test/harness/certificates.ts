/** A certificate authority of a test's own, by openssl. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type Certificate = { readonly cert: string; readonly key: string };

export type CertificateAuthority = {
  /** Path of its certificate. */
  readonly ca: string;
  /** A certificate with these DNS names, in files of its own. */
  issue(...names: readonly string[]): Promise<Certificate>;
  remove(): Promise<void>;
};

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];

export async function certificateAuthority(): Promise<CertificateAuthority> {
  const directory = await mkdtemp(join(tmpdir(), 'stream-infer-ca-'));
  const file = (name: string): string => join(directory, name);
  const request = (...args: readonly string[]) => run('openssl', ['req', '-x509', ...EC, ...args]);
  await request('-subj', '/CN=test authority', '-keyout', file('ca.key'), '-out', file('ca.pem'));
  let issued = 0;
  return {
    ca: file('ca.pem'),
    async issue(...names) {
      issued += 1;
      const [cert, key] = [file(`${issued}.pem`), file(`${issued}.key`)];
      const subject = ['-subj', `/CN=${names[0] ?? 'nobody'}`];
      const alternatives = names.map((name) => `DNS:${name}`).join(',');
      const constraints = ['-addext', 'basicConstraints=CA:FALSE', '-addext', `subjectAltName=${alternatives}`];
      const signed = ['-CA', file('ca.pem'), '-CAkey', file('ca.key')];
      await request(...subject, ...constraints, ...signed, '-keyout', key, '-out', cert);
      return { cert, key };
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}
