/**
 * Whether a source may be opened (`sources.allow`). What a URL leads to is told by the addresses of its host when it is opened; of HTTP,
 * by each connection on its own, redirects and playlists included (http-relay.ts).
 */

import { lookup } from 'node:dns/promises';
import { realpath } from 'node:fs/promises';
import { BlockList, isIP } from 'node:net';
import { sep } from 'node:path';
import { parseValue } from '@stream-infer/core/configuration-fault';
import { Fault } from '@stream-infer/core/fault';
import {
  ADDRESS_CLASSES,
  type AddressClass,
  CAMERAS_ONLY,
  sourceAllowanceSchema,
} from '@stream-infer/core/source-allowance';
import type { Source } from './source.ts';
import { openFault } from './source-fault.ts';
import { protocolsOf } from './source-protocols.ts';

/** The first that has an address is its class. Services of clouds that hand out credentials count with the link. */
const BLOCKS: readonly (readonly [AddressClass, BlockList])[] = [
  ['link-local', blocks('169.254.0.0/16', 'fe80::/10', '100.100.100.200/32', '168.63.129.16/32', 'fd00:ec2::254/128')],
  ['loopback', blocks('127.0.0.0/8', '0.0.0.0/8', '::1/128', '::/128')],
  [
    'private',
    blocks('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '224.0.0.0/4', 'fc00::/7', 'ff00::/8'),
  ],
];

/** Filters that make a picture to test with and read nothing; what comes behind one may read anything. */
const TEST_PICTURE = /^(testsrc2?|smptebars|smptehdbars|rgbtestsrc|yuvtestsrc|color|mandelbrot)(=[\w.:=#/-]*)?$/;

/** What an ingest may open. @param key of its configuration. Throws CONFIG_INVALID. */
export function sourceAllowance(
  key: readonly string[] | undefined,
  { SOURCES_ALLOW: variable }: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  if (variable === undefined || variable === '') return key ?? CAMERAS_ONLY;
  return parseValue(
    sourceAllowanceSchema,
    variable.split(',').map((entry) => entry.trim()),
    'SOURCES_ALLOW',
  );
}

export class SourcePolicy {
  readonly #allow: ReadonlySet<string>;
  readonly #folders: readonly string[];
  readonly #blocks: BlockList;

  /** @param allow entries as the schema has passed them. */
  constructor(allow: readonly string[]) {
    this.#allow = new Set(allow);
    const scoped = (kind: string): string[] =>
      allow.filter((entry) => entry.startsWith(`${kind}:`)).map((entry) => entry.slice(kind.length + 1));
    this.#folders = scoped('files');
    this.#blocks = blocks(...scoped('network').filter((where) => isIP(where.split('/')[0] ?? '') !== 0));
  }

  get allowsAll(): boolean {
    return this.#allow.has('all');
  }

  /** Whether a file may name others: it may itself be any. */
  get allowsEveryFile(): boolean {
    return this.allowsAll || this.#allow.has('files');
  }

  /** Throws SOURCE_FORBIDDEN, or the fault of a host that has no address. */
  async check(source: Source): Promise<void> {
    if (this.allowsAll) return;
    switch (source.kind) {
      case 'file':
        return await this.#checkFile(source);
      case 'device':
        return this.#checkDevice(source);
      case 'url':
        return await this.#checkUrl(source);
    }
  }

  /** @param host as it was named, in lower case. */
  allowsAddress(address: string, host: string): boolean {
    if (this.allowsAll || this.#allow.has('network') || this.#allow.has(`network:${host}`)) return true;
    return this.#allow.has(`network:${addressClass(address)}`) || this.#blocks.check(address, familyOf(address));
  }

  async #checkFile({ path = '', label }: Source): Promise<void> {
    if (this.allowsEveryFile) return;
    // Where it is not there, its name alone decides: what exists is not told either.
    const real = await realpath(path).catch(() => path);
    for (const folder of this.#folders) {
      const root = await realpath(folder).catch(() => folder);
      if (real.startsWith(root.endsWith(sep) ? root : root + sep)) return;
    }
    throw forbidden(label, 'is a file', 'files:/FOLDER with its folder');
  }

  #checkDevice({ input, label, generated }: Source): void {
    if (generated ? TEST_PICTURE.test(input) || this.#allow.has('lavfi') : this.#allow.has('devices')) return;
    if (generated) throw forbidden(label, 'is made by filters that may read files', 'lavfi');
    throw forbidden(label, 'is a device', 'devices');
  }

  async #checkUrl(source: Source): Promise<void> {
    const { input, label } = source;
    const scheme = input.slice(0, input.indexOf(':')).toLowerCase();
    if (protocolsOf(scheme) === undefined)
      throw forbidden(label, 'has a protocol that no live pictures come by', 'all');
    const host = hostOf(input);
    if (host === undefined) throw forbidden(label, 'has an odd host', 'all');
    for (const address of await addressesOf(host, source)) {
      if (this.allowsAddress(address, host)) continue;
      throw forbidden(label, `leads to a ${addressClass(address)} address`, `network:${addressClass(address)}`);
    }
  }
}

export function addressClass(address: string): AddressClass {
  const family = familyOf(address);
  return BLOCKS.find(([, list]) => list.check(address, family))?.[0] ?? ADDRESS_CLASSES[0];
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

function blocks(...cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', bits] = cidr.split('/');
    const family = familyOf(address);
    list.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  return list;
}

/** As ffmpeg finds it, which is not as URLs are read elsewhere; empty where there is none, undefined where it is none. */
function hostOf(url: string): string | undefined {
  const authority = /^[^:]+:\/\/([^/?#]*)/.exec(url)?.[1] ?? '';
  const place = authority.slice(authority.lastIndexOf('@') + 1);
  const found = /^(?:\[([0-9a-f:.]+)\]|([\w.-]*))(?::\d*)?$/i.exec(place);
  return found ? (found[1] ?? found[2] ?? '').toLowerCase() : undefined;
}

/** Every address that a connection may go to; without a host it is this machine that listens. */
async function addressesOf(host: string, source: Source): Promise<string[]> {
  if (host === '') return ['0.0.0.0'];
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    throw openFault(source, 'failed to resolve');
  }
}

const forbidden = (label: string, what: string, entry: string): Fault =>
  new Fault(
    'SOURCE_FORBIDDEN',
    `${label} ${what}, and sources.allow does not have that: add ${entry} to it if it is to be played`,
  );
