/**
 * Puts answers back into the order in which their windows were sent (I4, EX-9): runners answer as they finish, results are
 * published as they were triggered.
 */

type Place<T> = { readonly n: number; answer: { readonly value: T } | 'awaited' | 'dropped' };

export class Order<T> {
  readonly #places: Place<T>[] = [];

  /** Whether window n has a place. */
  has(n: number): boolean {
    return this.#places.some((place) => place.n === n);
  }

  /** Takes the next place, for window n. */
  expect(n: number): void {
    const last = this.#places.at(-1);
    if (last && last.n >= n) throw new RangeError(`window ${n} was sent after ${last.n}`);
    this.#places.push({ n, answer: 'awaited' });
  }

  answer(n: number, value: T): void {
    this.#settle(n, { value });
  }

  /** Gives the place of window n up: nothing is to be published for it. */
  drop(n: number): void {
    this.#settle(n, 'dropped');
  }

  /** Everything that stands before the first awaited place, in order, once. */
  ready(): T[] {
    const values: T[] = [];
    let taken = 0;
    for (const { answer } of this.#places) {
      if (answer === 'awaited') break;
      if (answer !== 'dropped') values.push(answer.value);
      taken += 1;
    }
    this.#places.splice(0, taken);
    return values;
  }

  #settle(n: number, answer: Place<T>['answer']): void {
    const place = this.#places.find((candidate) => candidate.n === n);
    if (place?.answer !== 'awaited') throw new RangeError(`window ${n} is not awaited`);
    place.answer = answer;
  }
}
