/**
 * Compiles the repository into a folder of the same shape: JavaScript, each package.json beside it, and the dependencies of what is there,
 * those for development left out. What is shipped is that: it needs no compiler, and Node.js strips no types under node_modules.
 *
 *   node scripts/compile.ts [FOLDER [PACKAGE…]]
 *
 * FOLDER is dist unless given, and is made anew. Of packages that are named, such as ingest for @stream-infer/ingest, each has a folder of
 * its own in it, with what it depends on and nothing else.
 */

import { execFileSync } from 'node:child_process';
import { cp, glob, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { closureOf, compiledManifest, type Manifest } from './compiled-packages.ts';

const root = join(import.meta.dirname, '..');
const PACKAGES = ['', 'proto/', 'packages/*/', 'algorithms/', 'services/*/'];
/** Beside what is compiled: what installing the dependencies takes, and what whoever passes it on must pass on. */
const FILES = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'LICENSE', 'NOTICE'];

/** A tool of the repository, or of its set-up. */
function run(command: string, args: readonly string[], cwd: string): void {
  const PATH = [join(root, 'node_modules/.bin'), join(root, '.tools/bin'), process.env.PATH].join(delimiter);
  execFileSync(command, args, {
    cwd,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, PATH, CI: 'true' },
  });
}

async function readManifests(): Promise<ReadonlyMap<string, Manifest>> {
  const manifests = new Map<string, Manifest>();
  for await (const path of glob(
    PACKAGES.map((packages) => `${packages}package.json`),
    { cwd: root },
  ))
    manifests.set(dirname(path), JSON.parse(await readFile(join(root, path), 'utf8')) as Manifest);
  return manifests;
}

/** @param compiled where the compiler left all of the sources. @param only a package; all where absent. */
async function lay(
  compiled: string,
  out: string,
  manifests: ReadonlyMap<string, Manifest>,
  only?: string,
): Promise<void> {
  const folders = only === undefined ? manifests.keys() : closureOf(only, manifests);
  for (const folder of folders) {
    if (folder !== '.') await cp(join(compiled, folder), join(out, folder), { recursive: true });
    await mkdir(join(out, folder), { recursive: true });
    await writeFile(join(out, folder, 'package.json'), compiledManifest(manifests.get(folder) as Manifest));
  }
  for (const file of FILES) await cp(join(root, file), join(out, file));
  const filter = only === undefined ? [] : ['--filter', `${only}...`];
  run('pnpm', ['install', '--prod', '--frozen-lockfile', '--prefer-offline', ...filter], out);
}

const [folder = 'dist', ...packages] = process.argv.slice(2);
const out = resolve(folder);
const compiled = join(out, '.compiled');
const manifests = await readManifests();
if (`${root}/`.startsWith(out.endsWith('/') ? out : `${out}/`)) {
  console.error(`compile: ${out} is the repository or holds it, and would be removed: name a folder of its own`);
  process.exit(2);
}
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
run('tsc', ['-p', 'tsconfig.build.json', '--outDir', compiled], root);
if (packages.length === 0) await lay(compiled, out, manifests);
for (const name of packages) await lay(compiled, join(out, name), manifests, `@stream-infer/${name}`);
await rm(compiled, { recursive: true });
