/** Waiting for something to become true: whoever changes what it depends on says so. */

type Waiter = { readonly holds: () => boolean; readonly resolve: () => void };

export class Condition {
  #waiters: Waiter[] = [];

  /** Resolves once `holds` is true, looked at now and with each `notify`. */
  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push({ holds, resolve });
    });
  }

  notify(): void {
    if (this.#waiters.length === 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (waiter.holds()) waiter.resolve();
      else this.#waiters.push(waiter);
    }
  }
}
