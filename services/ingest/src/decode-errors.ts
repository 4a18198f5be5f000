/**
 * What ffmpeg complains of while it decodes: how often, where it began, and whether pictures suffered. ffmpeg drops what it cannot
 * decode and still exits with 0, so these lines are how damage is noticed.
 */

/** Complaints that mean broken or missing data; others, such as about missing references after a cut, cost no frame. */
const DAMAGE =
  /invalid nal|error splitting|error while decoding|error submitting|concealing|corrupt|invalid data found|partial file|ended prematurely|missing picture|truncat|no frame!|slice_header error|header damaged|overread|marker does not match/i;

const KEPT_LINES = 20;
const LONGEST_LINE = 500;

export class DecodeErrors {
  /** Lines at level error or worse. */
  count = 0;
  /** Position of the decoder when the first line about damage came; undefined where none did. */
  firstDamage: { readonly ptsTicks: number | undefined } | undefined;
  readonly #lines: string[] = [];
  readonly #isOther: (line: string) => boolean;
  #rest = '';

  /** @param isOther told of each line: whether it is no complaint. */
  constructor(isOther: (line: string) => boolean = () => false) {
    this.#isOther = isOther;
  }

  /** @param ptsTicks time of the newest decoded frame. */
  push(chunk: string, ptsTicks: number | undefined): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = (lines.pop() ?? '').slice(0, LONGEST_LINE);
    for (const line of lines) this.#read(line, ptsTicks);
  }

  /** The newest lines. They may quote the source: not to be shown unredacted. */
  get text(): string {
    return [...this.#lines, this.#rest].join('\n');
  }

  #read(line: string, ptsTicks: number | undefined): void {
    if (line.trim() === '' || this.#isOther(line)) return;
    this.count += 1;
    this.#lines.push(line.slice(0, LONGEST_LINE));
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    if (DAMAGE.test(line)) this.firstDamage ??= { ptsTicks };
  }
}
