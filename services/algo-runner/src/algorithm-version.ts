/**
 * The version that results carry: which code, options and model made them. A class may state its own as `static version`; else it is
 * the beginning of a SHA-256 over the module's file (a built-in's name and this package's version), the options in canonical JSON
 * and the file that the option `model` names; and, for what a GPU computes differs in its last digits, that it runs there. What the module imports is not in it: an author for whom that matters states a version.
 */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Device } from '@stream-infer/algorithm';
import { canonicalJson } from '@stream-infer/core/canonical-json';
import packageJson from '../package.json' with { type: 'json' };
import type { AlgorithmModule } from './algorithm-module.ts';
import type { WorkerSpec } from './worker-messages.ts';

const DIGITS = 12;

export async function algorithmVersion(
  { construct, path }: AlgorithmModule,
  spec: Omit<WorkerSpec, 'device' | 'requireGpu'>,
  device: Device = 'cpu',
): Promise<string> {
  if (typeof construct.version === 'string' && construct.version !== '') return construct.version;
  const hash = createHash('sha256');
  if (path === undefined) hash.update(`${spec.use} ${packageJson.version}`);
  else await pipeline(createReadStream(path), hash, { end: false });
  hash.update(canonicalJson(spec.options));
  if (device !== 'cpu') hash.update(device);
  const { model } = spec.options;
  if (typeof model === 'string') {
    // A model that is not there is the algorithm's own to complain about; init has done so by now.
    await pipeline(createReadStream(resolve(spec.directory, model)), hash, { end: false }).catch(() => undefined);
  }
  return hash.digest('hex').slice(0, DIGITS);
}
