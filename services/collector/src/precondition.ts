/** `If-Match` and `If-None-Match` of a write: the state of a stream that the client believes in. An ETag is a revision of the registry. */

/** What must stand there for a write to happen. */
export type Precondition = {
  /** `*`: anything; else one of these ETags. */
  readonly ifMatch?: '*' | readonly string[];
  /** Nothing may stand there. */
  readonly ifNoneMatch?: true;
};

/** What the headers may hold, as JSON Schema patterns. A weak ETag (`W/"…"`) is one that never matches. */
export const IF_MATCH_PATTERN = '^\\s*(\\*|(W/)?"[^"]*"(\\s*,\\s*(W/)?"[^"]*")*)\\s*$';
export const IF_NONE_MATCH_PATTERN = '^\\s*\\*\\s*$';
/** The same in words. */
export const IF_MATCH_RULE =
  'must be an ETag as it was answered, such as "17" with its quotes, several with commas, or *';
export const IF_NONE_MATCH_RULE = 'must be *';

export const etagOf = (revision: number): string => `"${revision}"`;

/** Of headers that fit their patterns. */
export function parsePrecondition(headers: {
  readonly 'if-match'?: string;
  readonly 'if-none-match'?: string;
}): Precondition {
  const match = headers['if-match']?.trim();
  return {
    ...(match !== undefined && { ifMatch: match === '*' ? match : match.split(',').map((etag) => etag.trim()) }),
    ...(headers['if-none-match'] !== undefined && { ifNoneMatch: true }),
  };
}

/** @param revision of what stands there; undefined where nothing does. */
export function isMet({ ifMatch, ifNoneMatch }: Precondition, revision: number | undefined): boolean {
  if (revision === undefined) return ifMatch === undefined;
  return !ifNoneMatch && (ifMatch === undefined || ifMatch === '*' || ifMatch.includes(etagOf(revision)));
}
