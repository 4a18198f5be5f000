/** What every image holds and does not hold. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { root } from '../harness/programs.ts';
import { type ImageFacts, imageName, inImage, inspectImage } from './engine.ts';

const TARGETS = ['ingest', 'scheduler', 'algo-runner', 'collector', 'tools'] as const;
type Target = (typeof TARGETS)[number];

/** Megabytes above the base image, uncompressed. */
const BUDGETS: Readonly<Record<Target, number>> = {
  scheduler: 200,
  collector: 200,
  'algo-runner': 200,
  tools: 200,
  ingest: process.env.IMAGES_FFMPEG === 'decode-only' ? 350 : 750,
};
const BASE = process.env.IMAGES_BASE ?? 'docker.io/library/debian:bookworm-slim';

type Lockfile = {
  readonly importers: Readonly<Record<string, Dependencies>>;
  /** By name and version. */
  readonly snapshots: Readonly<Record<string, Dependencies>>;
};
/** Name → version, as `importers` have it, or an object with that. */
type Versions = Readonly<Record<string, string | { readonly version: string }>>;
type Dependencies = { readonly dependencies?: Versions; readonly optionalDependencies?: Versions };

/** The npm packages that what is shipped needs, and those need in turn, out of the lockfile: name and version. */
async function shipped(): Promise<ReadonlySet<string>> {
  const lockfile = parse(await readFile(join(root, 'pnpm-lock.yaml'), 'utf8')) as Lockfile;
  const found = new Set<string>();
  const add = ({ dependencies = {}, optionalDependencies = {} }: Dependencies): void => {
    for (const [name, told] of Object.entries({ ...dependencies, ...optionalDependencies })) {
      const key = `${name}@${typeof told === 'string' ? told : told.version}`;
      const snapshot = lockfile.snapshots[key];
      if (snapshot === undefined || found.has(key)) continue;
      found.add(key);
      add(snapshot);
    }
  };
  for (const importer of Object.values(lockfile.importers)) add(importer);
  return new Set([...found].map((key) => key.replace(/\(.*$/, '')));
}

function factsOf(target: Target): ImageFacts {
  const facts = inspectImage(imageName(target));
  if (facts === undefined) throw new Error(`there is no image ${imageName(target)}: build it with make images`);
  return facts;
}

const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

describe.each(TARGETS)('the image of %s', (target) => {
  const image = imageName(target);

  test('says what it is, runs as a user without a name in the cluster, and ends on SIGTERM', () => {
    const { user, stopSignal, entrypoint, labels } = factsOf(target);
    expect(user).toBe('10001:10001');
    expect(stopSignal).toBe('SIGTERM');
    expect(entrypoint.slice(0, 2)).toEqual(['tini', '--']);
    expect(labels).toMatchObject({
      'org.opencontainers.image.title': `stream-infer-${target}`,
      'org.opencontainers.image.version': packageJson.version,
      'org.opencontainers.image.revision': expect.stringMatching(/^[0-9a-f]{40}$/),
      'org.opencontainers.image.licenses': 'Apache-2.0',
    });
  });

  test('is no larger than its budget', () => {
    const base = inspectImage(BASE);
    if (base === undefined)
      throw new Error(`there is no image ${BASE}: IMAGES_BASE names what the images are built on`);
    const megabytes = (factsOf(target).size - base.size) / 1e6;
    console.log(`${image}: ${megabytes.toFixed(0)} MB above ${BASE}`);
    expect(megabytes).toBeLessThanOrEqual(BUDGETS[target]);
  });

  test('holds compiled code, and nothing for development', async () => {
    expect(lines(await inImage(image, 'find /app -name "*.ts" -o -name "*.map"'))).toEqual([]);
    const packages = lines(await inImage(image, 'ls /app/node_modules/.pnpm'));
    expect(packages.length).toBeGreaterThan(10);
    const names = packages
      .filter((folder) => folder.lastIndexOf('@') > 0)
      .map((folder) => folder.replace(/_.*$/, '').replace('+', '/'));
    const needed = await shipped();
    expect(names.filter((name) => !needed.has(name))).toEqual([]);
  });

  test("has no package manager but the base's, and no list or cache of any", async () => {
    const managers = 'for c in npm npx pnpm yarn corepack; do command -v $c; done; true';
    expect(await inImage(image, managers)).toBe('');
    const left = 'find /var/lib/apt/lists /var/cache /var/log /app/node_modules -maxdepth 1 -type f';
    expect(lines(await inImage(image, left))).toEqual([]);
  });

  test('has nothing that its user could change, or become another by', async () => {
    const writable =
      'find / -xdev \\( -type f -o -type d \\) -writable -not -path "/tmp*" -not -path "/proc*" 2>/dev/null';
    const allowed = ['/data', '/run/lock', '/var/tmp', '/dev/shm', '/run/secrets'];
    const found = lines(await inImage(image, `${writable} || true`));
    expect(found.filter((path) => !allowed.includes(path))).toEqual([]);
    const privileged = 'find / -xdev -type f \\( -perm -4000 -o -perm -2000 \\) 2>/dev/null || true';
    expect(lines(await inImage(image, privileged))).toEqual([]);
  });

  test('lists what it is made of', async () => {
    const bom = JSON.parse(await inImage(image, 'cat /app/sbom.cdx.json')) as {
      readonly bomFormat: string;
      readonly metadata: { readonly component: { readonly name: string } };
      readonly components: readonly { readonly purl: string }[];
    };
    expect(bom.bomFormat).toBe('CycloneDX');
    expect(bom.metadata.component.name).toBe(`stream-infer-${target}`);
    const purls = new Set(bom.components.map(({ purl }) => purl.split('?')[0]));
    const node = (await inImage(image, 'node --version')).trim().replace(/^v/, '');
    expect(purls).toContain(`pkg:generic/node@${node}`);
    for (const folder of lines(await inImage(image, 'ls /app/node_modules/.pnpm'))) {
      const [, name, version] = /^(@?[^@]+)@([^_]+)/.exec(folder) ?? [];
      if (name === undefined || version === undefined) continue;
      expect(purls).toContain(`pkg:npm/${name.replace('@', '%40').replace('+', '/')}@${version}`);
    }
    const installed = lines(await inImage(image, "dpkg-query -W -f '${Package}@${Version}\\n'"));
    expect(installed.length).toBeGreaterThan(50);
    for (const one of installed) {
      const [name, version = ''] = one.split('@');
      expect(purls).toContain(`pkg:deb/debian/${name}@${encodeURIComponent(version)}`);
    }
    if (target === 'ingest') expect([...purls].filter((purl) => purl?.includes('/ffmpeg@'))).toHaveLength(1);
  });

  test('has no package of the distribution that its security updates have a newer one of', async () => {
    // The lists are fetched into volumes of the container, which are gone with it.
    const script = `set -e
      apt-get -q -o APT::Sandbox::User=root -o APT::Update::Error-Mode=any update >&2
      apt-get -q -s -o Debug::NoLocking=true dist-upgrade >/tmp/plan
      ls /var/lib/apt/lists | grep -c 'security.*_Packages'
      grep '^Inst.*[Ss]ecurity' /tmp/plan || true
      # What was built of a source is to be of the newest.
      if [ -f /usr/local/share/ffmpeg/version ]; then
        newest=$(apt-cache policy ffmpeg | sed -n 's/ *Candidate: //p')
        dpkg --compare-versions "$(cat /usr/local/share/ffmpeg/version)" ge "$newest" || echo "ffmpeg $newest"
      fi`;
    const options = { user: '0:0', writable: ['/var/lib/apt/lists', '/var/cache/apt'] };
    const [lists, ...newer] = lines(await inImage(image, script, options));
    expect(Number(lists)).toBeGreaterThan(0);
    expect(newer).toEqual([]);
  });

  test('has a first process that leaves no dead ones behind', async () => {
    // An orphan ends while its grandparent lives on; whoever is process 1 has it then.
    const script =
      '(sh -c "exit 3" & exec sleep 0.1) & sleep 1; cat /proc/[0-9]*/stat | cut -d " " -f 3 | sort | uniq -c';
    const states = await inImage(image, `tini -s -- sh -c '${script.replaceAll("'", '"')}'`);
    expect(states).not.toMatch(/ Z/);
  });
});
