/** From a source that was named to one that may be opened: checked, and its HTTP led through a relay that checks where it goes on to. */

import { HttpRelay } from './http-relay.ts';
import type { Source } from './source.ts';
import type { SourcePolicy } from './source-policy.ts';
import { isHttp } from './source-protocols.ts';

export type SourceAccess = {
  readonly source: Source;
  /** When nothing of it is read any more. Idempotent. */
  close(): Promise<void>;
};

/** Throws SOURCE_FORBIDDEN. */
export async function openAccess(source: Source, policy: SourcePolicy, openTimeoutMs: number): Promise<SourceAccess> {
  await policy.check(source);
  const open = { ...source, mayNameFiles: policy.allowsEveryFile };
  const { kind, input } = source;
  if (policy.allowsAll || kind !== 'url' || !isHttp(input.slice(0, input.indexOf(':')).toLowerCase()))
    return { source: open, close: async () => undefined };
  const relay = await HttpRelay.open({
    allows: (address, host) => policy.allowsAddress(address, host),
    timeoutMs: openTimeoutMs,
  });
  return { source: { ...open, proxy: relay.url, hindered: () => relay.trouble }, close: () => relay.close() };
}
