/**
 * What a stream or an algorithm may be called. A name becomes a token of subjects, stream names and KV keys of the bus, a
 * metric label and a path segment of the API, so it is what all of these take unescaped.
 */

/** 1 to 64 letters, digits, `_` or `-`, beginning with a letter or digit. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** The same for people, as a phrase that follows what breaks it. */
export const NAME_RULE = 'must be 1 to 64 letters, digits, _ or -, beginning with a letter or digit';

/** Who applies a list of streams: such a name, or several with `/` between them, in which dots may stand: helm/site.north. */
export const OWNER = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}(?:\/[A-Za-z0-9][A-Za-z0-9._-]{0,63}){0,3}$/;

export const OWNER_RULE =
  'must be up to 4 words with / between them, each of 1 to 64 letters, digits, ., _ or -, beginning with a letter or digit';

export const isName = (text: string): boolean => NAME.test(text);

/** A name made of any text, such as a file's: what a name cannot hold becomes `-`. */
export function nameFrom(text: string): string {
  const name = text
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^[-_]+|[-_]+$/g, '')
    .slice(0, 64);
  return name === '' ? 'stream' : name;
}
