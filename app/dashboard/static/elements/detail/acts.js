// What a person may do with a record's job beside retrying it: hold, release, cancel, and run again what is completed. Each asks
// why; handlers decide.

import { visible } from "../../core.js";
import { fill, foreign, h } from "../../dom.js";
import { icon } from "../../icons.js";
import { portalName } from "../../words.js";
import { askWords } from "../ask.js";

const WAITING = ["awaiting_media", "held", "queued", "retrying"];
const OVER = ["completed", "failed", "cancelled"];
const RELEASABLE = ["hold", "portal_down"];

const ACTS = {
  hold: {
    label: "Hold…", icon: "hand", title: "Put this job on hold?", submit: "Hold", operator: true,
    words: "It starts no run until somebody releases it.",
    open: (job) => WAITING.includes(job.state) && job.wait_reason !== "hold",
  },
  release: {
    label: "Release…", icon: "retry", title: "Let this job go on?", submit: "Release", operator: true,
    words: "It goes on at once, or waits for what it still needs.",
    open: (job) => job.state === "held" && RELEASABLE.includes(job.wait_reason),
  },
  cancel: {
    label: "Cancel the job…", icon: "stop", title: "Cancel this job?", submit: "Cancel the job", operator: false,
    words: "Nothing is submitted. A run that has begun is asked to stop; one that is just submitting is settled first.",
    open: (job) => !OVER.includes(job.state),
  },
  "run-again": {
    label: "Run again…", icon: "retry", title: "Submit this record once more?", submit: "Submit it again", operator: true,
    words: (job) => ["This keys the record into ", foreign(portalName(job.portal), { limit: 80 }), " once more, as a new entry. The entry that is there, number ",
      foreign(job.confirmation, { class: "mono", limit: 120 }), ", stays there unless the portal removes it."],
    agree: "I have looked at the portal: its entry is gone or in the wrong place, and another one is wanted.",
    // The number that is shown: when somebody else was quicker, nothing is submitted.
    body: (job) => ({ confirmation: job.confirmation }),
    open: (job) => job.state === "completed",
  },
};

export class ActsSection {
  #key = "";
  #dialog = null;

  constructor({ api, onChange }) {
    this.api = api;
    this.onChange = onChange;
    this.element = h("div", { class: "acts-bar", role: "group", "aria-label": "Acts on the job", hidden: true });
  }

  dispose() {
    this.#dialog?.close();
  }

  update(_record, job, role) {
    const operator = role === "operator" || role === "admin";
    const open = job && role !== "viewer" ? Object.keys(ACTS).filter((name) => (operator || !ACTS[name].operator) && ACTS[name].open(job)) : [];
    const key = JSON.stringify([job?.id, job?.confirmation, open]);
    if (key === this.#key) return;
    this.#key = key;
    this.element.hidden = open.length === 0;
    fill(this.element, open.map((name) => h("button", { type: "button", class: "quiet", onClick: () => this.#ask(name, job) }, icon(ACTS[name].icon), ACTS[name].label)));
  }

  #ask(name, job) {
    const { title, words, submit, agree, body } = ACTS[name];
    const said = typeof words === "function" ? words(job) : words;
    this.#dialog = askWords(document.body, { title, words: [h("p", { class: "faint" }, said)], label: "Reason, kept with the record’s history", submit, leave: "Leave it", agree,
      send: (reason) => this.#send(name, job.id, { reason, ...body?.(job) }) });
  }

  async #send(name, job, body) {
    try {
      this.onChange(await this.api.send("POST", `/api/jobs/${encodeURIComponent(job)}/${name}`, body));
      return null;
    } catch (problem) {
      if (problem.status === 409) this.onChange(null);
      return problem.status === 403 ? "Not done: your role in this project does not allow it." : `Not done: ${visible(problem.message, 300)}`;
    }
  }
}
