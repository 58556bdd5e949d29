// <record-detail record role-in-project>: everything about one record, live. The page of a record and <form-detail-modal> hold
// it. Tells `record-shown` {record, job} whenever what it shows has changed. The sections are in detail-*.js.

import { apiFor } from "../api.js";
import { fill, h, onFrame, setText, throttle } from "../dom.js";
import { acquireFeed } from "../feed.js";
import { icon } from "../icons.js";
import { AttemptsSection, TimelineSection } from "./detail-history.js";
import { PhotosSection } from "./detail-photos.js";
import { FindingsSection } from "./detail-findings.js";
import { FactsSection, FieldsSection } from "./detail-record.js";
import { QuestionSection } from "./detail-question.js";
import { RunSection } from "./detail-run.js";

class RecordDetail extends HTMLElement {
  static observedAttributes = ["record", "role-in-project"];
  #id = null;
  #record = null;
  #feed = null;
  #parts = null;
  #sections = [];
  #question = null;
  #abort = null;
  #refresh = throttle(() => this.#load(), 500);
  #render = () => this.#show();
  #onJob = ({ detail }) => {
    if (detail.job.record_id !== this.#id) return;
    // A change of state, or a new step, means new rows in the history; a percentage does not.
    const before = detail.previous?.progress?.step;
    if (detail.previous?.seq !== detail.job.seq || before !== detail.job.progress?.step) this.#refresh();
    onFrame(this.#render);
  };

  connectedCallback() {
    this.#parts ??= this.#build();
    this.#turnTo(this.getAttribute("record"));
  }

  disconnectedCallback() {
    this.#leave();
    this.#id = null;
  }

  attributeChangedCallback(name, _before, after) {
    if (!this.isConnected || !this.#parts) return;
    if (name === "record") this.#turnTo(after);
    else onFrame(this.#render);
  }

  #build() {
    const parts = {
      notice: h("p", { class: "notice", "data-tone": "bad", role: "alert", hidden: true }),
      body: h("div", { class: "detail-body" }),
      doubtWords: h("span", {}),
    };
    parts.doubt = h("p", { class: "notice", "data-tone": "warn", role: "status", hidden: true }, icon("wave"), parts.doubtWords);
    this.append(parts.notice, parts.doubt, parts.body);
    return parts;
  }

  #turnTo(id) {
    if (id === this.#id) return;
    this.#leave();
    this.#id = id;
    this.#record = null;
    if (!id) return;
    this.#start();
    this.#load();
  }

  #leave() {
    this.#refresh.cancel();
    this.#abort?.abort();
    for (const section of this.#sections) section.dispose?.();
    this.#sections = [];
    this.#feed?.removeEventListener("job", this.#onJob);
    this.#feed?.removeEventListener("resync", this.#refresh);
    this.#feed?.removeEventListener("status", this.#render);
    this.#feed?.release();
    this.#feed = null;
  }

  /** Skeleton first: what is known comes at once, the rest fills in without jumping. */
  #start() {
    const api = apiFor(this);
    const acts = { api, onChange: (job) => this.#changedBy(job) };
    const run = new RunSection(acts);
    const question = (this.#question = new QuestionSection(acts));
    const [facts, fields, photos] = [new FactsSection(), new FieldsSection(), new PhotosSection({ api })];
    const [findings, attempts, timeline] = [new FindingsSection(acts), new AttemptsSection({ api }), new TimelineSection()];
    this.#sections = [run, question, facts, fields, photos, findings, attempts, timeline];
    this.#parts.notice.hidden = true;
    this.#parts.doubt.hidden = true;
    this.#parts.body.hidden = false;
    this.#parts.body.toggleAttribute("busy", true);
    fill(this.#parts.body, question.element, run.element,
      h("div", { class: "main" }, findings.element, fields.element, photos.element, timeline.element),
      h("div", { class: "side" }, facts.element, attempts.element));
  }

  async #load() {
    const id = this.#id;
    this.#abort?.abort();
    const abort = (this.#abort = new AbortController());
    try {
      const record = await apiFor(this).get(`/api/records/${encodeURIComponent(id)}`, {}, { signal: abort.signal });
      if (id !== this.#id) return;
      this.#record = record;
      this.#follow(record);
      this.#parts.notice.hidden = true;
      this.#show();
    } catch (problem) {
      if (problem.name === "AbortError" || id !== this.#id) return;
      this.#failed(problem);
    }
  }

  // The page's own feed when it is the same project, so that both show the same thing in the same frame.
  #follow(record) {
    if (!this.#feed) {
      this.#feed = acquireFeed(apiFor(this), { project: record.project });
      this.#feed.addEventListener("job", this.#onJob);
      this.#feed.addEventListener("resync", this.#refresh);
      this.#feed.addEventListener("status", this.#render);
    }
    this.#feed.merge(record.job);
  }

  #changedBy(job) {
    this.#feed?.merge(job);
    this.#refresh();
  }

  #failed(problem) {
    this.#parts.body.removeAttribute("busy");
    const words = problem.status === 404 ? "There is no such record, or it is not yours to see." : problem.message;
    this.#parts.notice.hidden = false;
    fill(this.#parts.notice, icon("alert"), h("span", {}, words));
    this.#parts.body.hidden = !this.#record;
    this.dispatchEvent(new CustomEvent("record-failed"));
  }

  #show() {
    const record = this.#record;
    if (!record || !this.#feed) return;
    const job = this.#feed.store.forRecord(record.id) ?? record.job;
    const role = this.getAttribute("role-in-project") ?? "operator";
    this.#parts.body.hidden = false;
    this.#parts.body.removeAttribute("busy");
    const doubt = doubtOf(this.#feed, job);
    this.#parts.doubt.hidden = doubt === "";
    setText(this.#parts.doubtWords, doubt);
    for (const section of this.#sections) section.update(record, job, role);
    this.#sections[0].element.hidden = !job || this.#question.shown;
    this.dispatchEvent(new CustomEvent("record-shown", { detail: { record, job } }));
  }
}

/** Why what is shown may not be the newest, as a dialog covers the page's own notices. */
function doubtOf(feed, job) {
  if (feed.phase === "reconnecting") return "The connection was lost. Reconnecting; what you see is as of then.";
  if (feed.health.progress === "degraded" && job?.state === "processing") return "Live progress degraded: the step and percentage may be old. The status is live.";
  return "";
}

customElements.define("record-detail", RecordDetail);
