/** Which hosts a server may listen on so that nobody but this machine reaches it. Pure: names are not looked up. */

import { z } from 'zod';

const IPV4 = z.ipv4();
const IPV6 = z.ipv6();

/**
 * Whether a server that listens there is reached from this machine alone. Where one listens everywhere (`0.0.0.0`, `::`) it is not; as what a source leads
 * to these are this machine all the same (services/ingest/src/address-class.ts).
 */
export function isLoopbackHost(host: string): boolean {
  if (host.toLowerCase() === 'localhost') return true;
  if (IPV4.safeParse(host).success) return host.startsWith('127.');
  // However it is written.
  return IPV6.safeParse(host).success && LOOPBACK.test(new URL(`http://[${host}]`).hostname);
}

/** `::1`, and 127.0.0.0/8 as IPv6 has it. */
const LOOPBACK = /^\[::(1|ffff:7f[\da-f]{2}:[\da-f]{1,4})\]$/;
