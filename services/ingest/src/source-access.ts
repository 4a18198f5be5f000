/**
 * From a source that was named to one that may be opened: checked, and its HTTP led through a relay that checks where it goes on to, and that alone
 * knows where a secret one is.
 */

import { HttpRelay } from './http-relay.ts';
import type { Source } from './source.ts';
import type { SourcePolicy } from './source-policy.ts';
import { isHttp, protocolsOf } from './source-protocols.ts';

export type SourceAccess = {
  readonly source: Source;
  /** When nothing of it is read any more. Idempotent. */
  close(): Promise<void>;
};

/** Throws SOURCE_FORBIDDEN. */
export async function openAccess(source: Source, policy: SourcePolicy, openTimeoutMs: number): Promise<SourceAccess> {
  const open = { ...(await policy.check(source)), mayNameFiles: policy.allowsEveryFile };
  const { kind, input, label } = source;
  const scheme = schemeOf(input);
  const isSecret = isHttp(scheme) && label !== input;
  // RTMP and MMS come by HTTP in some of their ways, and follow its redirects then.
  const comesByHttp = kind === 'url' && protocolsOf(scheme)?.some(isHttp) === true;
  if (!comesByHttp || (policy.allowsAll && !isSecret)) return { source: open, close: async () => undefined };
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
