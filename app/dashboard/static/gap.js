// What a page missed while it was away, counted until the server says how far it has told. DOM-free, no network.

/** From a break to the first word of how far the stream reaches: every change in between was missed when it happened. */
export class Gap {
  missed = 0;
  #asOf;

  /** `from` is the local time of the break, `asOf` the server's time up to which everything had been shown (ms, or null). */
  constructor(from, asOf) {
    this.from = from;
    this.#asOf = asOf;
  }

  /** Take a change as `JobStore.apply` returns it. A job never seen counts if it was made after what had been shown. */
  count({ job, previous }) {
    if (previous) this.missed += job.seq - previous.seq;
    else if (this.#asOf !== null && Date.parse(job.created_at) > this.#asOf) this.missed += job.seq;
  }
}
