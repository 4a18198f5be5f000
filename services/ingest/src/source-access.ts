/**
 * From a source that was named to one that may be opened: checked, and its HTTP led through a relay that checks where it goes on to, and that alone
 * knows where a secret one is.
 */

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
  const { kind, input, label } = source;
  const isSecret = label !== input;
  if (kind !== 'url' || !isHttp(schemeOf(input)) || (policy.allowsAll && !isSecret))
    return { source: open, close: async () => undefined };
  const relay = await HttpRelay.open({
    allows: (address, host) => policy.allowsAddress(address, host),
    timeoutMs: openTimeoutMs,
    ...(isSecret && URL.canParse(input) && { secret: new URL(input) }),
  });
  const { hiddenUrl } = relay;
  const hidden = hiddenUrl !== undefined && {
    input: hiddenUrl,
    redact: (text: string) => source.redact(text.replaceAll(hiddenUrl, label)),
  };
  const led: Source = { ...open, ...hidden, proxy: relay.url, hindered: () => relay.trouble };
  return { source: led, close: () => relay.close() };
}

const schemeOf = (url: string): string => url.slice(0, url.indexOf(':')).toLowerCase();
