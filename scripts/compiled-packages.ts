/** What the compiled repository's packages say of themselves, and which of them a package needs. Pure: manifests go in and come out. */

/** A package.json, as far as compiling looks into it. */
export type Manifest = {
  readonly name: string;
  readonly exports?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
};

/** The package.json beside compiled sources: what it exports is JavaScript. */
export function compiledManifest(manifest: Manifest): string {
  const { exports } = manifest;
  const compiled = exports && {
    exports: Object.fromEntries(Object.entries(exports).map(([name, path]) => [name, path.replace(/\.ts$/, '.js')])),
  };
  return `${JSON.stringify({ ...manifest, ...compiled }, null, 2)}\n`;
}

/**
 * Folders of the package and of all in the repository that it depends on, directly or not, and of the repository itself, which holds the
 * lockfile.
 * @param manifests by folder; '.' is the repository.
 */
export function closureOf(name: string, manifests: ReadonlyMap<string, Manifest>): ReadonlySet<string> {
  const folders = new Map([...manifests].map(([folder, manifest]) => [manifest.name, folder]));
  const first = folders.get(name);
  if (first === undefined) throw new Error(`there is no package ${name}: known are ${[...folders.keys()].join(', ')}`);
  const found = new Set(['.', first]);
  const visit = (folder: string): void => {
    for (const dependency of Object.keys(manifests.get(folder)?.dependencies ?? {})) {
      const of = folders.get(dependency);
      if (of === undefined || found.has(of)) continue;
      found.add(of);
      visit(of);
    }
  };
  visit(first);
  return found;
}
