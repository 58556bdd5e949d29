// What changed in the list, for those who hear it: few sentences, whatever happens.

import { plural, visible } from "../../core.js";
import { fill, h, setText } from "../../dom.js";
import { stateOf } from "../../states.js";

const GATHER_MS = 1000; // what comes together is said together
const REST_MS = 8000; // from one sentence to the next: a storm must not talk without end

export class News {
  element = h("div", { class: "visually-hidden", role: "status" });
  #nameOf;
  #jobs = new Map();
  #timer = 0;
  #said = -Infinity;

  /** `nameOf(job)`: what the list calls its record. */
  constructor(nameOf) {
    this.#nameOf = nameOf;
  }

  /** A record that is shown has come to another state. */
  take(job) {
    this.#jobs.set(job.record_id, job);
    if (this.#timer === 0) this.#timer = setTimeout(() => this.#say(), Math.max(GATHER_MS, this.#said + REST_MS - performance.now()));
  }

  /** Say something else at once, and not again while it is what was said last. */
  tell(words) {
    setText(this.element, words);
  }

  cancel() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#jobs.clear();
  }

  #say() {
    const words = sentenceOf([...this.#jobs.values()], this.#nameOf);
    this.cancel();
    this.#said = performance.now();
    fill(this.element, words); // anew: the same sentence may be news
  }
}

/** "P-1041: Completed", or "50 records changed: Failed 3, Completed 47", what needs somebody first. */
export function sentenceOf(jobs, nameOf) {
  if (jobs.length === 1) return `${visible(nameOf(jobs[0]), 80)}: ${stateOf(jobs[0].state).label}`;
  const groups = Map.groupBy(jobs, (job) => stateOf(job.state).label);
  const urgency = (tone) => ["bad", "warn"].indexOf(tone) >>> 0; // what is neither comes last
  const parts = [...groups].sort(([, [a]], [, [b]]) => urgency(stateOf(a.state).tone) - urgency(stateOf(b.state).tone));
  return `${plural(jobs.length, "record")} changed: ${parts.map(([label, all]) => `${label} ${all.length}`).join(", ")}`;
}
