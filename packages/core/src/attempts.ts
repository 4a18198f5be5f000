/**
 * How often one window is sent, and when that is enough. Pure: told of each send and of each setback, it says whether to send again.
 *
 * - An attempt counts where the algorithm failed or overran its time, or where its runner died while it held this window alone. What
 *   the bus, a drain, a scheduler or the network costs does not count.
 * - A runner that died while it held several windows of a scheduler died of any of them: none of them counts. A window that was twice
 *   among several is sent alone from then on: to a runner that holds nothing else, and gets nothing else until it is answered.
 * - It always ends: in company a window is lost twice at most, alone each death counts, and a window that has come back so often that
 *   neither explains it (`MOST_RETURNS`) has spent its attempts too. Only the bus is waited for without a limit, ever more slowly:
 *   without it nothing can be published either.
 */

export type Setback =
  /** The algorithm threw, overran its time, or returned what is no result. */
  | 'failed'
  /** The conversation with the runner broke while it held this window and nothing else. Counts, unless `excuse` says otherwise. */
  | 'lost-alone'
  /** The same while it held others too. */
  | 'lost-in-company'
  /** The runner gave it back before it began, or never got it. */
  | 'not-started'
  /** The bus did not answer the runner. */
  | 'bus-failed';

const LOSSES_IN_COMPANY = 2;
const MOST_RETURNS = 20;
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 2_000;

export class Attempts {
  readonly #most: number;
  #sent = 0;
  #counted = 0;
  #lostInCompany = 0;
  #returned = 0;
  #busFailures = 0;

  /** @param most how many attempts may count, from 1. */
  constructor(most: number) {
    this.#most = most;
  }

  /** How often it was sent. */
  get sent(): number {
    return this.#sent;
  }

  /** Whether its next runner may hold nothing else. */
  get mustBeAlone(): boolean {
    return this.#lostInCompany >= LOSSES_IN_COMPANY;
  }

  /** Whether it is not sent again. */
  get isSpent(): boolean {
    return this.#counted >= this.#most || this.#returned >= MOST_RETURNS;
  }

  /** It is sent; returns which of the sends it is, from 1. */
  send(): number {
    this.#sent += 1;
    return this.#sent;
  }

  /** It came back without a result. Returns how long to wait before it is sent again, in milliseconds. */
  setback(setback: Setback): number {
    switch (setback) {
      case 'failed':
        this.#counted += 1;
        return 0;
      case 'lost-alone':
        this.#counted += 1;
        this.#returned += 1;
        return 0;
      case 'lost-in-company':
        this.#lostInCompany += 1;
        this.#returned += 1;
        return 0;
      case 'not-started':
        this.#returned += 1;
        return 0;
      case 'bus-failed': {
        const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#busFailures, LAST_PAUSE_MS);
        this.#busFailures += 1;
        return pauseMs;
      }
    }
  }

  /** What lost it alone turns out to be the network, or a drain: the attempt does not count. */
  excuse(): void {
    this.#counted -= 1;
  }
}
