/**
 * An address that stands for a secret one (I8): ffmpeg is told this, and the relay, which alone knows what is behind it, asks there. What a playlist names
 * relative to itself lies behind it too. Pure.
 */

/** No name of the network: RFC 2606. */
const HOST = 'source.invalid';
/** As many levels as a playlist may go up. */
const FOLDERS = 6;
const FOLDER = '-/';

export class HiddenAddress {
  readonly #target: URL;

  constructor(target: URL) {
    this.#target = target;
  }

  /** What ffmpeg is told: of the target its ending alone, by which ffmpeg may tell a format. */
  get url(): string {
    const [ending = ''] = /\.[a-z0-9]{1,5}$/i.exec(this.#target.pathname) ?? [];
    return `http://${HOST}/${FOLDER.repeat(FOLDERS)}source${ending}`;
  }

  /** What is asked for in truth, where that lies behind this address. */
  behind(asked: URL): URL | undefined {
    if (asked.host !== HOST) return undefined;
    if (asked.href === this.url) return this.#target;
    const path = asked.pathname + asked.search;
    for (let up = 0; up < FOLDERS; up += 1) {
      const folder = `/${FOLDER.repeat(FOLDERS - up)}`;
      if (path.startsWith(folder)) return new URL(`./${'../'.repeat(up)}${path.slice(folder.length)}`, this.#target);
    }
    return new URL(path, this.#target);
  }
}
