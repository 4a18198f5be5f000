import { expect, test } from 'vitest';
import { addressClass } from './address-class.ts';

test.each([
  ['8.8.8.8', 'public'],
  ['2a00::1', 'public'],
  ['10.1.2.3', 'private'],
  ['172.31.0.1', 'private'],
  ['192.168.0.9', 'private'],
  ['fd12::1', 'private'],
  ['127.0.0.1', 'loopback'],
  ['0.0.0.0', 'loopback'],
  ['::1', 'loopback'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['169.254.169.254', 'link-local'],
  ['::ffff:169.254.169.254', 'link-local'],
  ['fe80::1', 'link-local'],
  ['fe80::1%eth0', 'link-local'],
  ['100.100.100.200', 'link-local'],
  ['192.0.0.192', 'link-local'],
  ['fd00:ec2::254', 'link-local'],
  ['fd00:ec2::23', 'link-local'],
  ['fd20:ce::254', 'link-local'],
] as const)('%s is %s', (address, expected) => expect(addressClass(address)).toBe(expected));

test.each([
  ['64:ff9b::a9fe:a9fe', 'link-local'],
  ['64:ff9b::169.254.169.254', 'link-local'],
  ['64:ff9b::7f00:1', 'loopback'],
  ['64:ff9b::', 'loopback'],
  ['64:ff9b::808:808', 'public'],
  ['2002:a9fe:a9fe::1', 'link-local'],
  ['2002:a01:203::', 'private'],
  ['2002:808:808:1:2:3:4:5', 'public'],
] as const)('%s leads to an address of IPv4 and is as that: %s', (address, expected) =>
  expect(addressClass(address)).toBe(expected),
);
