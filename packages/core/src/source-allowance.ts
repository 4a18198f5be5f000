/**
 * What may be named as a source (`sources.allow`). Whoever may add a stream makes the ingest open what its source names, with the rights
 * and from the place in the network that the ingest has: its files, its devices, its neighbours.
 */

import { z } from 'zod';

/** Classes of addresses. Every address is of one: `public` is what the others are not. */
export const ADDRESS_CLASSES = ['public', 'private', 'loopback', 'link-local'] as const;
export type AddressClass = (typeof ADDRESS_CLASSES)[number];

/** Cameras, wherever they are; nothing of the machine itself, and no cloud's metadata. */
export const CAMERAS_ONLY: readonly string[] = ['network:public', 'network:private'];
/** For who could open everything by themselves. */
export const EVERYTHING: readonly string[] = ['all'];

const ENTRY = /^(all|files(:\/.*)?|devices|lavfi|network(:[^\s,]+)?)$/;

export const sourceAllowanceSchema = z.array(
  z.string().regex(ENTRY, 'must be all, files, files:/FOLDER, devices, lavfi, network, or network:WHERE'),
);

export const sourcesSchema = z.strictObject({
  allow: sourceAllowanceSchema
    .optional()
    .describe(
      'What sources may be: all; files, or files:/FOLDER for those below it; devices (cameras, screens); lavfi (filters of ffmpeg, which read files); network for URLs to any address, or network:WHERE, WHERE being public, private, loopback, link-local (with the metadata services of clouds), a block such as 10.1.0.0/16, or a host. Pictures of ffmpeg to test with (lavfi:testsrc2…) always may be. SOURCES_ALLOW, with commas, wins. Default: network:public and network:private; for run and up all, while the API listens on this machine alone.',
    ),
});

/** The default of `run` and `up`: whoever reaches an API that listens on this machine alone is on it. */
export const allowanceOf = (apiHost = '127.0.0.1'): readonly string[] =>
  /^(localhost|127(\.\d+){3}|::1)$/.test(apiHost) ? EVERYTHING : CAMERAS_ONLY;
