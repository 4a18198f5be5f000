/**
 * Whether a source may be opened (`sources.allow`). What a URL leads to is told by the addresses of its host when it is opened; of HTTP,
 * by each connection on its own, redirects and playlists included (http-relay.ts).
 */

import { lookup } from 'node:dns/promises';
import { realpath } from 'node:fs/promises';
import type { BlockList } from 'node:net';
import { sep } from 'node:path';
import { toFault } from '@stream-infer/core/fault';
import { type AddressClass, networkPlace } from '@stream-infer/core/source-allowance';
import { sourceHost } from '@stream-infer/core/source-host';
import { forbidden, isTestPicture, refused } from '@stream-infer/core/source-refusal';
import { addressClass, blocks, familyOf } from './address-class.ts';
import { type Source, sourceOf } from './source.ts';
import { openFault, SourceFault } from './source-fault.ts';
import { protocolsOf } from './source-protocols.ts';

/** Hosts that are addresses in some way of writing them: `2130706433`, `0x7f.1`. */
const WRITTEN_ADDRESS = /^(0x[\da-f]*|\d+)(\.(0x[\da-f]*|\d+))*$|:/;

export class SourcePolicy {
  /** Entries that name a whole kind. */
  readonly #kinds: ReadonlySet<string>;
  readonly #places: readonly string[];
  readonly #devices: ReadonlySet<string>;
  readonly #classes: ReadonlySet<AddressClass>;
  readonly #blocks: BlockList;
  readonly #hosts: ReadonlySet<string>;

  /** @param allow entries as the schema has passed them. */
  constructor(allow: readonly string[]) {
    const scoped = (kind: string): string[] =>
      allow.filter((entry) => entry.startsWith(`${kind}:`)).map((entry) => entry.slice(kind.length + 1));
    const network = scoped('network').flatMap((where) => networkPlace(where) ?? []);
    const devices = [...scoped('devices'), ...scoped('lavfi').map((filters) => `lavfi:${filters}`)];
    this.#kinds = new Set(allow.filter((entry) => !entry.includes(':')));
    this.#places = scoped('files');
    this.#devices = new Set(devices.map((device) => deviceKey(sourceOf(device, device, 0))));
    this.#classes = new Set(network.flatMap((place) => (place.kind === 'class' ? place.name : [])));
    this.#blocks = blocks(...network.flatMap((place) => (place.kind === 'block' ? place.cidr : [])));
    this.#hosts = new Set(network.flatMap((place) => (place.kind === 'host' ? place.name : [])));
  }

  get allowsAll(): boolean {
    return this.#kinds.has('all');
  }

  /** Whether a file may name others: it may itself be any. */
  get allowsEveryFile(): boolean {
    return this.allowsAll || this.#kinds.has('files');
  }

  /** The source as it may be opened. Throws SOURCE_FORBIDDEN, or the fault of a file that is not there or a host that has no address. */
  async check(source: Source): Promise<Source> {
    if (this.allowsAll) return source;
    switch (source.kind) {
      case 'file':
        return await this.#checkFile(source);
      case 'device':
        this.#checkDevice(source);
        return source;
      case 'url':
        await this.#checkUrl(source);
        return source;
    }
  }

  /** @param host as it was named. */
  allowsAddress(address: string, host: string): boolean {
    if (this.allowsAll || this.#kinds.has('network') || this.#hosts.has(host.toLowerCase())) return true;
    return this.#classes.has(addressClass(address)) || this.#blocks.check(address, familyOf(address));
  }

  /** What is opened is what was looked at: a link that is changed in between leads nowhere else. */
  async #checkFile(source: Source): Promise<Source> {
    const { path = '', label } = source;
    if (this.allowsEveryFile) return source;
    const real = await realpath(path).catch((error: unknown) => toFault(error));
    for (const place of this.#places) {
      const root = await realpath(place).catch(() => place);
      if (typeof real === 'string' && isWithin(real, root)) return opened(source, real);
      // Of what is not there its name alone decides: what exists elsewhere is not told either.
      if (typeof real !== 'string' && (isWithin(path, place) || isWithin(path, root)))
        throw openFault(source, real.message);
    }
    throw refused.file(label);
  }

  #checkDevice(source: Source): void {
    const { input, label, generated } = source;
    if (this.#kinds.has(generated ? 'lavfi' : 'devices') || this.#devices.has(deviceKey(source))) return;
    if (!generated) throw refused.device(label);
    if (!isTestPicture(input)) throw refused.filters(label);
  }

  async #checkUrl(source: Source): Promise<void> {
    const { input, label } = source;
    const scheme = input.slice(0, input.indexOf(':')).toLowerCase();
    if (protocolsOf(scheme) === undefined)
      throw forbidden(label, 'has a protocol that no live pictures come by', 'all');
    const host = sourceHost(input);
    if (host === undefined) throw forbidden(label, 'has an odd host', 'all');
    for (const address of await addressesOf(host, source)) {
      if (this.allowsAddress(address, host)) continue;
      const where = addressClass(address);
      const fault = forbidden(label, `leads to a ${where} address`, `network:${where}`);
      // A name may lead elsewhere by and by.
      if (host === '' || WRITTEN_ADDRESS.test(host)) throw fault;
      throw new SourceFault(fault.code, 'forbidden', fault.message);
    }
  }
}

/** Of what is told to ffmpeg. */
const deviceKey = ({ inputOptions, input }: Source): string => [...inputOptions, input].join(' ');

const isWithin = (path: string, place: string): boolean =>
  path === place || path.startsWith(place.endsWith(sep) ? place : place + sep);

/** The same file by its real path, which is told by the name that was given. */
const opened = (source: Source, real: string): Source => ({
  ...source,
  path: real,
  input: `file:${real}`,
  redact: (text) => source.redact(real === source.path ? text : text.replaceAll(real, source.label)),
});

/** Every address that a connection may go to; without a host it is this machine that listens. */
async function addressesOf(host: string, source: Source): Promise<string[]> {
  if (host === '') return ['0.0.0.0'];
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    throw openFault(source, 'failed to resolve');
  }
}
