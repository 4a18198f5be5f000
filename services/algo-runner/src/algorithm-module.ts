/**
 * The class behind an algorithm's `use`: a built-in by its name, or the default export of a module by its path, relative to the
 * configuration file. Runs inside the worker thread, so that nothing of an author, and no native module, is in the runner's own.
 */

import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Algorithm, AlgorithmConstructor } from '@stream-infer/algorithm';
import { ofAlgorithm } from '@stream-infer/algorithms/algorithm-fault';
import { assertModuleFile } from '@stream-infer/algorithms/module-file';
import { BUILT_IN_ALGORITHMS, isBuiltInName } from '@stream-infer/algorithms/registry';
import { Fault } from '@stream-infer/core/fault';
import { stackPlace, thrownMessage } from './stack-place.ts';

export type AlgorithmModule = {
  readonly construct: AlgorithmConstructor & { readonly version?: unknown };
  /** The module's file; absent for a built-in. */
  readonly path?: string;
};

/**
 * @param directory that of the configuration file, absolute.
 * Throws MODULE_NOT_FOUND, MODULE_BROKEN or MODULE_NO_DEFAULT_EXPORT.
 */
export async function loadAlgorithmModule(name: string, use: string, directory: string): Promise<AlgorithmModule> {
  if (isBuiltInName(use)) return { construct: (await BUILT_IN_ALGORITHMS[use]()).default };
  const path = resolve(directory, use);
  await assertModuleFile(name, use, path);
  let exported: Record<string, unknown>;
  try {
    exported = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    const problem = `algorithm "${name}": ${path} does not load: ${await loadProblem(path, error)}`;
    throw new Fault('MODULE_BROKEN', problem, { cause: error });
  }
  const found = exported.default;
  if (isConstructor(found)) return { construct: found, path };
  throw new Fault(
    'MODULE_NO_DEFAULT_EXPORT',
    `algorithm "${name}": ${path} ${describeExports(exported)}: write export default class … { run(frames) { … } }`,
  );
}

/** An instance. Throws ALGORITHM_INIT_FAILED where the constructor threw, MODULE_NO_DEFAULT_EXPORT where it has no `run`. */
export function constructAlgorithm(name: string, { construct, path = name }: AlgorithmModule): Algorithm {
  let algorithm: Algorithm;
  try {
    algorithm = new construct();
  } catch (error) {
    throw initFault(name, error, 'its constructor');
  }
  if (typeof algorithm.run === 'function') return algorithm;
  const has = Object.getOwnPropertyNames(construct.prototype).filter((member) => member !== 'constructor');
  throw new Fault(
    'MODULE_NO_DEFAULT_EXPORT',
    `algorithm "${name}": the class that ${path} exports has no run method${has.length > 0 ? ` (it has ${has.join(', ')})` : ''}: write run(frames, context)`,
  );
}

/** What `init` or the constructor threw: a fault with the algorithm named, else the author's message and the place in their file. */
export function initFault(name: string, thrown: unknown, what = 'init'): Fault {
  if (thrown instanceof Fault) return ofAlgorithm(name, thrown);
  const place = stackPlace(thrown);
  return new Fault(
    'ALGORITHM_INIT_FAILED',
    `algorithm "${name}": ${what} threw: ${thrownMessage(thrown)}${place === undefined ? '' : ` (at ${place})`}`,
    { cause: thrown },
  );
}

/** Any function may be a class; an arrow function or a method is none. */
const isConstructor = (value: unknown): value is AlgorithmModule['construct'] =>
  typeof value === 'function' && typeof value.prototype === 'object' && value.prototype !== null;

function describeExports(exported: Record<string, unknown>): string {
  if ('default' in exported) {
    const { default: found } = exported;
    const kind = found === null ? 'null' : typeof found === 'function' ? 'a function that is no class' : typeof found;
    return `exports ${kind} as its default, and no class`;
  }
  const names = Object.keys(exported);
  return names.length === 0 ? 'exports nothing' : `has no default export (it exports ${names.join(', ')})`;
}

/** Why an import failed, with the line where that is known, and the column where Node.js points at it. */
async function loadProblem(path: string, error: unknown): Promise<string> {
  const message = thrownMessage(error);
  const stated = error instanceof Error ? statedPlace(error.stack ?? '') : undefined;
  if (stated !== undefined) return `${message} (at ${stated})`;
  if (error instanceof SyntaxError) {
    const place = await syntaxErrorPlace(path);
    return place === undefined ? `${message} (in a module that it imports)` : `${message} (at ${place})`;
  }
  const place = stackPlace(error);
  return place === undefined ? message : `${message} (at ${place})`;
}

/** Where Node.js knows the place of a syntax error: a line with the file and the line's number, a line or two of it, carets below the place. */
function statedPlace(text: string): string | undefined {
  const [, place, before] = /^(?:file:\/\/)?(\/.*:\d+)\n(?:(?:.*\n){1,3}?([ \t]*)\^+\n)?/m.exec(text) ?? [];
  return before === undefined ? place : `${place}:${before.length + 1}`;
}

/** The place of a syntax error of this very file. A caught SyntaxError does not tell its line; checking the file does. */
async function syntaxErrorPlace(path: string): Promise<string | undefined> {
  const problem: unknown = await promisify(execFile)(process.execPath, ['--check', path]).catch(
    (error: unknown) => error,
  );
  return problem instanceof Error && 'stderr' in problem ? statedPlace(String(problem.stderr)) : undefined;
}
