/**
 * What a run is, so that it is gone on with only as what it was: the streams, the algorithms and the sources as they are on disk. Written beside
 * the run's data while it lasts (EX-10).
 */

import { createHash } from 'node:crypto';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '@stream-infer/core/canonical-json';
import { Fault } from '@stream-infer/core/fault';
import { redactUrl } from '@stream-infer/core/redact-url';
import type { RunPlan } from './run-plan.ts';

/** By what a person would call it: a digest, so that no credential is written down. */
type Identity = Readonly<Record<string, string>>;

const FILE = 'run.json';

const digest = (value: unknown): string =>
  createHash('sha256')
    .update(canonicalJson(JSON.parse(JSON.stringify(value))))
    .digest('hex');

async function identityOf({ specs, configuration }: RunPlan): Promise<Identity> {
  const identity: Record<string, string> = {};
  for (const algorithm of configuration.algorithms) identity[`algorithm ${algorithm.name}`] = digest(algorithm);
  for (const spec of specs) {
    identity[`stream ${spec.id}`] = digest(spec);
    const { source } = spec;
    const file = source === undefined ? undefined : await stat(source).catch(() => undefined);
    if (source !== undefined && file)
      identity[`source ${redactUrl(source)}`] = digest({ bytes: file.size, changedMs: file.mtimeMs });
  }
  return identity;
}

/**
 * Writes down what the run is. Throws RESUME_REFUSED where the folder holds a run that this is not to go on with, or where it is to go on with one
 * and the folder holds none, or another.
 */
export async function identifyRun(folder: string, plan: RunPlan): Promise<void> {
  const path = join(folder, FILE);
  const now = await identityOf(plan);
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (plan.resume) {
    if (text === undefined)
      throw new Fault('RESUME_REFUSED', `${folder} holds no run to go on with: leave out --resume`);
    const other = firstDifference(JSON.parse(text) as Identity, now);
    if (other === undefined) return;
    throw new Fault(
      'RESUME_REFUSED',
      `${folder} holds another run, ${other} differs: give what it was started with, or another --data`,
    );
  }
  if (text !== undefined)
    throw new Fault(
      'RESUME_REFUSED',
      `${folder} holds a run that did not come to its end: add --resume to go on with it, or give another --data`,
    );
  await writeFile(path, JSON.stringify(now, null, 2), { mode: 0o600 });
}

/** The run came to its end: its results are written, and nothing of it is to be gone on with. */
export async function forgetRun(folder: string): Promise<void> {
  for (const name of [FILE, 'nats', 'results.sqlite', 'results.sqlite-wal', 'results.sqlite-shm', 'results-max-bytes'])
    await rm(join(folder, name), { recursive: true, force: true });
}

const firstDifference = (before: Identity, now: Identity): string | undefined =>
  [...Object.keys(before), ...Object.keys(now)].find((name) => before[name] !== now[name]);
