// The server's clock as a browser can know it, and how long changes took from commit to screen. DOM-free, no network.

/** Milliseconds since 1970 that no daylight saving and no adjustment of the system's clock moves while a page is open. */
export const localNow = () => performance.timeOrigin + performance.now();

/**
 * What the server said was said after it was asked and before it was heard: each message narrows where its clock can be.
 * `offset` is the middle of what is left, `doubt` how far off that may be, both in milliseconds.
 */
export class ServerClock {
  #low = -Infinity;
  #high = Infinity;

  /** The server said it was `there` when it took what was sent here at `here`. */
  asked(there, here) {
    this.#high = Math.min(this.#high, there - here);
  }

  /** The server said it was `there` in what arrived here at `here`. */
  heard(there, here) {
    this.#low = Math.max(this.#low, there - here);
    // One of the clocks was set, or they drift: what was learnt before is void.
    if (this.#low > this.#high) this.#high = this.#low;
  }

  get known() {
    return Number.isFinite(this.#low) && Number.isFinite(this.#high);
  }

  get offset() {
    return (this.#low + this.#high) / 2;
  }

  get doubt() {
    return (this.#high - this.#low) / 2;
  }

  /** The server's time at a local one. */
  at(here = localNow()) {
    return here + this.offset;
  }
}

const KEPT = 200;

/** The last so many latencies, in milliseconds. */
export class Lags {
  #last = [];

  add(ms) {
    this.#last.push(Math.max(0, ms));
    if (this.#last.length > KEPT) this.#last.shift();
  }

  get count() {
    return this.#last.length;
  }

  /** The value that `share` of them do not exceed (nearest rank); null while there are none. */
  quantile(share) {
    const sorted = [...this.#last].sort((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
  }
}
