/** Which class an address is of (`sources.allow`). An address of IPv6 that leads to one of IPv4 is of its class. Pure. */

import { BlockList, isIP } from 'node:net';
import { ADDRESS_CLASSES, type AddressClass } from '@stream-infer/core/source-allowance';

/** Services of clouds that hand out credentials count with the link. */
const METADATA = ['100.100.100.200/32', '168.63.129.16/32', '192.0.0.0/24', 'fd00:ec2::/32', 'fd20:ce::/64'] as const;

/** The first that has an address is its class. */
const BLOCKS: readonly (readonly [AddressClass, BlockList])[] = [
  ['link-local', blocks('169.254.0.0/16', 'fe80::/10', ...METADATA)],
  ['loopback', blocks('127.0.0.0/8', '0.0.0.0/8', '::1/128', '::/128')],
  [
    'private',
    blocks('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '224.0.0.0/4', 'fc00::/7', 'ff00::/8'),
  ],
];

/** Translated by NAT64 (RFC 6052) and tunnelled by 6to4 (RFC 3056), with the groups that hold the address of IPv4. */
const EMBEDDING = [
  { block: blocks('64:ff9b::/96'), from: 6 },
  { block: blocks('2002::/16'), from: 1 },
] as const;

export function addressClass(address: string): AddressClass {
  const [bare = ''] = address.split('%');
  const led = embeddedIpv4(bare) ?? bare;
  return BLOCKS.find(([, list]) => list.check(led, familyOf(led)))?.[0] ?? ADDRESS_CLASSES[0];
}

/** @param cidrs as the schema of `sources.allow` has passed them. */
export function blocks(...cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', bits] = cidr.split('/');
    const family = familyOf(address);
    list.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  return list;
}

export function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

function embeddedIpv4(address: string): string | undefined {
  if (isIP(address) !== 6) return undefined;
  const from = EMBEDDING.find(({ block }) => block.check(address, 'ipv6'))?.from;
  if (from === undefined) return undefined;
  const [high = 0, low = 0] = groupsOf(address).slice(from);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** The eight of an address of IPv6, which URLs write in hexadecimal throughout. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const numbers = (text = ''): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [before, after] = [numbers(head), numbers(tail)];
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}
