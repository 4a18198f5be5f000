/**
 * What of a source is refused by its text alone, whoever is to open it (`sources.allow`). Where a link, a name or an address leads, the ingest
 * alone can say (services/ingest/src/source-policy.ts).
 */

import { Fault } from './fault.ts';
import { redactUrl } from './redact-url.ts';
import { sourceKind } from './source-kind.ts';

/** Filters that make a picture to test with and read nothing; what comes behind one may read anything. */
const TEST_PICTURE = /^(testsrc2?|smptebars|smptehdbars|rgbtestsrc|yuvtestsrc|color|mandelbrot)(=[\w.:=#/-]*)?$/;
const LAVFI = 'lavfi:';

/** @param filters of ffmpeg, without `lavfi:`. */
export const isTestPicture = (filters: string): boolean => TEST_PICTURE.test(filters);

/**
 * The fault of a source of a kind that no entry has; undefined where some entry may have it.
 * @param source as it was given. @param allow as the schema of `sources.allow` has passed it.
 */
export function refusedByKind(source: string, allow: readonly string[]): Fault | undefined {
  const has = (kind: string): boolean =>
    allow.some((entry) => entry === 'all' || entry === kind || entry.startsWith(`${kind}:`));
  const label = redactUrl(source);
  switch (sourceKind(source)) {
    case 'file':
      return has('files') ? undefined : refused.file(label);
    case 'device':
      if (!source.startsWith(LAVFI)) return has('devices') ? undefined : refused.device(label);
      return has('lavfi') || isTestPicture(source.slice(LAVFI.length)) ? undefined : refused.filters(label);
    case 'url':
      return has('network') ? undefined : refused.url(label);
  }
}

/** @param entry that would let it in. */
export const forbidden = (label: string, what: string, entry: string): Fault =>
  new Fault(
    'SOURCE_FORBIDDEN',
    `${label} ${what}, and sources.allow does not have that: add ${entry} to it if it is to be played`,
  );

/** By kind; `label` is how the source is named to people. */
export const refused = {
  file: (label: string) => forbidden(label, 'is a file', 'files:/FOLDER with its folder'),
  device: (label: string) => forbidden(label, 'is a device', 'devices'),
  filters: (label: string) => forbidden(label, 'is made by filters that may read files', 'lavfi'),
  url: (label: string) => forbidden(label, 'is a URL', 'network:WHERE'),
} as const;
