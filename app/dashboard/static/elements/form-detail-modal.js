// <form-detail-modal>: one record with everything about it, in a native <dialog>, live while it is open.
// `open(recordId)` and `close()`; tells `record-close`. The sections are in detail-*.js.

import { apiFor } from "../api.js";
import { fill, foreign, h, onFrame, setText, throttle } from "../dom.js";
import { acquireFeed } from "../feed.js";
import { icon } from "../icons.js";
import { AttemptsSection, TimelineSection } from "./detail-history.js";
import { PhotosSection } from "./detail-photos.js";
import { FindingsSection } from "./detail-findings.js";
import { FactsSection, FieldsSection } from "./detail-record.js";
import { QuestionSection } from "./detail-question.js";
import { RunSection } from "./detail-run.js";

class FormDetailModal extends HTMLElement {
  static observedAttributes = ["role-in-project"];
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
  }

  disconnectedCallback() {
    this.#leave();
  }

  attributeChangedCallback() {
    onFrame(this.#render);
  }

  open(recordId) {
    if (this.#id === recordId && this.#parts.dialog.open) return;
    this.#leave();
    this.#id = recordId;
    this.#record = null;
    this.#start();
    if (!this.#parts.dialog.open) this.#parts.dialog.showModal();
    this.#load();
  }

  close() {
    if (this.#parts?.dialog.open) this.#parts.dialog.close("quiet");
  }

  #build() {
    const parts = {
      title: h("h2", { id: "detail-title", tabindex: "-1", autofocus: true }, "Record"),
      under: h("p", { class: "under" }),
      badge: h("automation-status-badge"),
      notice: h("p", { class: "notice", "data-tone": "bad", role: "alert", hidden: true }),
      body: h("div", { class: "detail-body" }),
      doubtWords: h("span", {}),
    };
    parts.doubt = h("p", { class: "notice", "data-tone": "warn", role: "status", hidden: true }, icon("wave"), parts.doubtWords);
    const close = h("button", { type: "button", class: "quiet square", onClick: () => parts.dialog.close() },
      icon("close"), h("span", { class: "visually-hidden" }, "Close"));
    const head = h("header", {}, h("div", { class: "names" }, parts.title, parts.under), parts.badge, close);
    parts.dialog = h("dialog", { class: "detail", "aria-labelledby": "detail-title" }, head, parts.notice, parts.doubt, parts.body);
    parts.dialog.addEventListener("close", () => this.#closed());
    parts.dialog.addEventListener("click", (event) => {
      if (event.target === parts.dialog) parts.dialog.close();
    });
    this.append(parts.dialog);
    return parts;
  }

  #closed() {
    const quiet = this.#parts.dialog.returnValue === "quiet";
    this.#parts.dialog.returnValue = "";
    this.#leave();
    this.#id = null;
    if (!quiet) this.dispatchEvent(new CustomEvent("record-close", { bubbles: true }));
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
    const run = new RunSection({ api, onChange: (job) => this.#changedBy(job) });
    const question = (this.#question = new QuestionSection({ api, onChange: (job) => this.#changedBy(job) }));
    const [facts, fields, photos] = [new FactsSection(), new FieldsSection(), new PhotosSection({ api })];
    const [findings, attempts, timeline] = [new FindingsSection({ api, onChange: (job) => this.#changedBy(job) }), new AttemptsSection({ api }), new TimelineSection()];
    this.#sections = [run, question, facts, fields, photos, findings, attempts, timeline];
    fill(this.#parts.title, "Loading…");
    fill(this.#parts.under);
    this.#parts.badge.job = null;
    this.#parts.notice.hidden = true;
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
    if (!this.#record) fill(this.#parts.title, "Record");
    this.#parts.body.hidden = !this.#record;
  }

  #show() {
    const record = this.#record;
    if (!record || !this.#feed) return;
    const job = this.#feed.store.forRecord(record.id) ?? record.job;
    const role = this.getAttribute("role-in-project") ?? "operator";
    this.#parts.body.hidden = false;
    this.#parts.body.removeAttribute("busy");
    this.#showHead(record, job);
    const doubt = doubtOf(this.#feed, job);
    this.#parts.doubt.hidden = doubt === "";
    setText(this.#parts.doubtWords, doubt);
    for (const section of this.#sections) section.update(record, job, role);
    this.#sections[0].element.hidden = !job || this.#question.shown;
  }

  #showHead(record, job) {
    const key = JSON.stringify([record.asset_key, record.form_title, record.external_ref]);
    this.#parts.badge.job = job;
    if (this.#parts.title.dataset.key === key) return;
    this.#parts.title.dataset.key = key;
    fill(this.#parts.title, foreign(record.asset_key || record.external_ref, { limit: 120 }));
    fill(this.#parts.under, foreign(record.form_title, { limit: 80 }), foreign(record.external_ref, { class: "mono", limit: 80 }));
  }
}

/** Why what is shown may not be the newest, as this dialog covers the page's own notices. */
function doubtOf(feed, job) {
  if (feed.phase === "reconnecting") return "The connection was lost. Reconnecting; what you see may be a little old.";
  if (feed.health.progress === "degraded" && job?.state === "processing") return "Live progress degraded: the step and percentage may be old. The status is live.";
  return "";
}

customElements.define("form-detail-modal", FormDetailModal);
