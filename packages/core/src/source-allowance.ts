/**
 * What may be named as a source (`sources.allow`). Whoever may add a stream makes the ingest open what its source names, with the rights
 * and from the place in the network that the ingest has: its files, its devices, its neighbours.
 */

import { z } from 'zod';
import { isLoopbackHost } from './loopback-host.ts';
import { sourceHost } from './source-host.ts';
import { sourceKind } from './source-kind.ts';

/** Classes of addresses. Every address is of one: `public` is what the others are not. */
export const ADDRESS_CLASSES = ['public', 'private', 'loopback', 'link-local'] as const;
export type AddressClass = (typeof ADDRESS_CLASSES)[number];

/** Cameras, wherever they are; nothing of the machine itself, and no cloud's metadata. */
export const CAMERAS_ONLY: readonly string[] = ['network:public', 'network:private'];
/** For who could open everything by themselves. */
export const EVERYTHING: readonly string[] = ['all'];

/** What the WHERE of `network:WHERE` is. A host that is called like a class can be named by its address alone. */
export type NetworkPlace =
  | { readonly kind: 'class'; readonly name: AddressClass }
  /** `10.1.0.0/16`, or one address. */
  | { readonly kind: 'block'; readonly cidr: string }
  /** In lower case. */
  | { readonly kind: 'host'; readonly name: string };

const ADDRESS = z.union([z.ipv4(), z.ipv6()]);
const BLOCK = z.union([z.cidrv4(), z.cidrv6()]);
/** Of digits and dots alone it would be an address. */
const HOST = /^(?![\d.]+$)[a-z0-9_][a-z0-9_.-]*$/;

/** Undefined where it is none of them. */
export function networkPlace(where: string): NetworkPlace | undefined {
  const named = ADDRESS_CLASSES.find((name) => name === where);
  if (named) return { kind: 'class', name: named };
  if (ADDRESS.safeParse(where).success || BLOCK.safeParse(where).success) return { kind: 'block', cidr: where };
  const host = where.toLowerCase();
  return HOST.test(host) ? { kind: 'host', name: host } : undefined;
}

const ENTRY = /^(all|files(:\/[\s\S]*)?|devices(:[\s\S]+)?|lavfi(:[\s\S]+)?|network(:[^\s,]+)?)$/;
const NETWORK = 'network:';

export const sourceAllowanceSchema = z.array(
  z
    .string()
    .regex(
      ENTRY,
      'must be all, files, files:/PLACE, devices, devices:NAME, lavfi, lavfi:FILTERS, network, or network:WHERE',
    )
    .refine((entry) => !entry.startsWith(NETWORK) || networkPlace(entry.slice(NETWORK.length)) !== undefined, {
      error: `must name after network: ${ADDRESS_CLASSES.join(', ')}, an address, a block such as 10.1.0.0/16, or a host`,
    }),
);

export const sourcesSchema = z.strictObject({
  allow: sourceAllowanceSchema
    .optional()
    .describe(
      'What sources may be: all; files, or files:/PLACE for that file or those below that folder; devices (cameras, screens), or devices:NAME for that one; lavfi (filters of ffmpeg, which read files), or lavfi:FILTERS for these; network for URLs to any address, or network:WHERE, WHERE being public, private, loopback, link-local (with the metadata services of clouds), an address, a block such as 10.1.0.0/16, or a host. Pictures of ffmpeg to test with (lavfi:testsrc2…) always may be. SOURCES_ALLOW, with commas, wins. Default: network:public and network:private; for run and up all, while the API listens on this machine alone, and beyond that what the command and its file name.',
    ),
});

/**
 * The default of `run` and `up`: whoever reaches an API that listens on this machine alone is on it. Where others reach it, what the operator's own
 * streams name is added, and nothing beside it. @param sources with absolute paths.
 */
export const allowanceOf = (sources: readonly string[], apiHost = '127.0.0.1'): readonly string[] =>
  isLoopbackHost(apiHost)
    ? EVERYTHING
    : [...new Set([...CAMERAS_ONLY, ...sources.flatMap((source) => entryOf(source) ?? [])])];

/** The narrowest entry that has it; undefined where there is none. */
function entryOf(source: string): string | undefined {
  switch (sourceKind(source)) {
    case 'file':
      return `files:${/^file:\/\//i.test(source) ? decodeURIComponent(new URL(source).pathname) : source}`;
    case 'device':
      return source.startsWith('lavfi:') ? source : `devices:${source}`;
    case 'url': {
      // Without a host it is this machine that listens.
      const where = sourceHost(source) || '0.0.0.0';
      const place = networkPlace(where);
      return place === undefined || place.kind === 'class' ? undefined : NETWORK + where;
    }
  }
}
