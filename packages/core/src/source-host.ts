/** The host of a source's URL as ffmpeg finds it, which is not as URLs are read elsewhere: in lower case, without brackets; empty where there is none, undefined where it is none. */
export function sourceHost(url: string): string | undefined {
  const authority = /^[^:]+:\/\/([^/?#]*)/.exec(url)?.[1] ?? '';
  const place = authority.slice(authority.lastIndexOf('@') + 1);
  const found = /^(?:\[([0-9a-f:.]+)\]|([\w.-]*))(?::\d*)?$/i.exec(place);
  return found ? (found[1] ?? found[2] ?? '').toLowerCase() : undefined;
}
