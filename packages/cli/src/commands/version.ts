/** `stream-infer version`. */

import { readFile } from 'node:fs/promises';

/** The version of the repository that this file belongs to. */
async function productVersion(): Promise<string> {
  const file = new URL('../../../../package.json', import.meta.url);
  const { version } = JSON.parse(await readFile(file, 'utf8')) as { readonly version: string };
  return version;
}

export async function versionCommand({ json }: { readonly json: boolean }): Promise<number> {
  const version = await productVersion();
  process.stdout.write(
    json ? `${JSON.stringify({ version, node: process.versions.node }, null, 2)}\n` : `stream-infer ${version}\n`,
  );
  return 0;
}
