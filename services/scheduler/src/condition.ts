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

  /** Resolves when it holds, or the time is up. */
  async within(limitMs: number, holds: () => boolean): Promise<void> {
    let isLate = false;
    const limit = setTimeout(() => {
      isLate = true;
      this.notify();
    }, limitMs);
    await this.until(() => isLate || holds());
    clearTimeout(limit);
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
