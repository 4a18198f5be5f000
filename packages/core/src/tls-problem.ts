/**
 * Why a TLS connection did not come about, as the operator is told: what the other side is, which file or name it was measured by, and the
 * setting that says so. OpenSSL's own words are kept.
 */

export type TlsSide = {
  /** Who is on the other side, such as `the NATS server`. */
  readonly peer: string;
  /** The name that its certificate must have. */
  readonly name: string;
  /** Paths, where they are set. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** What the operator sets each by. */
  readonly settings: { readonly name: string; readonly ca: string; readonly cert: string; readonly key: string };
};

/** @param said what the TLS library said of it. */
export function tlsProblem(said: string, { peer, name, ca, cert, key, settings }: TlsSide): string {
  if (/altnames|IP address mismatch/i.test(said))
    return `${peer} has a certificate for other names than ${name} (${said}): ${settings.name} says which it must have`;
  if (/expired|not yet valid/i.test(said))
    return `${peer} has a certificate that is not valid now (${said}): renew it, or look at the clock of this machine`;
  if (/self[- ]signed|unable to (?:get|verify)/i.test(said))
    return ca === undefined
      ? `${peer} has a certificate that is not trusted (${said}): name the certificates of its issuer in ${settings.ca}`
      : `${peer} has a certificate that is not trusted (${said}): ${ca} (${settings.ca}) is not of its issuer`;
  if (/no start line|pem|key values mismatch|bad decrypt|unsupported.*key|asn1/i.test(said)) {
    const files = [ca, cert, key].filter((path) => path !== undefined);
    return `${files.join(', ')} are no certificates and key that belong together (${said})`;
  }
  return cert === undefined
    ? `${peer} ends the TLS connection (${said}): it may require a certificate, which ${settings.cert} and ${settings.key} name`
    : `${peer} ends the TLS connection (${said}): it may not trust ${cert} (${settings.cert})`;
}

/** Whether what a connection broke with is a matter of TLS. */
export const isTlsProblem = (said: string): boolean =>
  /certificate|altnames|self[- ]signed|\bSSL\b|\bTLS\b/i.test(said);
