/**
 * Completes an image's bill of materials, inside the image that it is of: what pnpm made of the lockfile is there as CycloneDX; added are
 * Node.js, an ffmpeg that was built of the distribution's source, and every package of the distribution. It stays in the image as /app/sbom.cdx.json.
 *
 *   node sbom.ts NAME
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const FILE = '/app/sbom.cdx.json';
/** Left by deploy/docker/build-ffmpeg.sh. */
const FFMPEG_VERSION = '/usr/local/share/ffmpeg/version';

type Component = {
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly 'bom-ref': string;
};

type Bom = {
  readonly metadata: { readonly component: object };
  readonly components: readonly Component[];
};

const component = (type: string, name: string, version: string, purl: string): Component => ({
  type,
  name,
  version,
  purl,
  'bom-ref': purl,
});

const distribution = /^ID=(.*)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'debian';

/** Every package that dpkg has installed: paragraphs of `Key: value`, of which long values go on in lines that begin with a space. */
function systemPackages(): Component[] {
  return readFileSync('/var/lib/dpkg/status', 'utf8')
    .split('\n\n')
    .flatMap((paragraph) => {
      const field = (key: string): string => new RegExp(`^${key}: (.*)$`, 'm').exec(paragraph)?.[1] ?? '';
      if (!field('Status').endsWith(' installed')) return [];
      const [name, version] = [field('Package'), field('Version')];
      const purl = `pkg:deb/${distribution}/${name}@${encodeURIComponent(version)}?arch=${field('Architecture')}`;
      return component('library', name, version, purl);
    });
}

/** What was built of the distribution's source, and is none of its packages. */
function builtFfmpeg(): Component[] {
  if (!existsSync(FFMPEG_VERSION)) return [];
  const version = readFileSync(FFMPEG_VERSION, 'utf8').trim();
  const purl = `pkg:deb/${distribution}/ffmpeg@${encodeURIComponent(version)}?arch=source`;
  return [component('library', 'ffmpeg', version, purl)];
}

const [name = ''] = process.argv.slice(2);
const bom = JSON.parse(readFileSync(FILE, 'utf8')) as Bom;
const node = process.versions.node;
const complete = {
  ...bom,
  metadata: { ...bom.metadata, component: { ...bom.metadata.component, type: 'container', name } },
  components: [
    ...bom.components,
    component('platform', 'node', node, `pkg:generic/node@${node}`),
    ...builtFfmpeg(),
    ...systemPackages(),
  ],
};
writeFileSync(FILE, `${JSON.stringify(complete, null, 1)}\n`);
