// <record-detail record role-in-project whole>: one record, live. The page of a record shows it `whole`, <form-detail-modal> in
// its short form. Tells `record-shown` {record, job} whenever what it shows has changed. The sections are in detail/.

import { apiFor } from "../api.js";
import { fill, h, onFrame, setText, throttle } from "../dom.js";
import { acquireFeed } from "../feed.js";
import { icon } from "../icons.js";
import { ActsSection } from "./detail/acts.js";
import { CommentsSection } from "./detail/comments.js";
import { ExchangeSection } from "./detail/exchange.js";
import { AttemptsSection, TimelineSection } from "./detail/history.js";
import { PhotosSection } from "./detail/photos.js";
import { PlaceSection } from "./detail/place.js";
import { ReviewSection } from "./detail/review.js";
import { RevisionsSection } from "./detail/revisions.js";
import { FindingsSection } from "./detail/findings.js";
import { FactsSection, FieldsSection } from "./detail/record.js";
import { QuestionSection } from "./detail/question.js";
import { refusedNotice } from "./detail/refused.js";
import { RunSection } from "./detail/run.js";

const PATIENCE_MS = 30_000; // a connection that died while the laptop slept never says so, and everything else waits for its answer

class RecordDetail extends HTMLElement {
  static observedAttributes = ["record", "role-in-project"];
  /** Roles by project, where one page shows records of several; else the attribute says it. */
  roles = {};
  #id = null;
  #record = null;
  #feed = null;
  #parts = null;
  #sections = [];
  #question = null;
  #abort = null;
  #missed = false;
  // What is being read is let come: changes that come quicker than answers would keep each other from ever being shown.
  #refresh = throttle(() => (this.#abort ? (this.#missed = true) : this.#load()), 500);
  #render = () => this.#show();
  #onJob = ({ detail }) => {
    if (detail.job.record_id !== this.#id) return;
    // A change of state, or a new step, means new rows in the history; a percentage does not.
    const before = detail.previous?.progress?.step;
    if (detail.previous?.seq !== detail.job.seq || before !== detail.job.progress?.step) this.#refresh();
    onFrame(this.#render);
  };
  #onRecord = ({ detail }) => {
    if (detail.record_id === this.#id) this.#refresh();
  };
  #whenTurned = () => onFrame(this.#render);
  #holds = (recordId) => recordId === this.#id;

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
      refused: refusedNotice(),
    };
    parts.doubt = h("p", { class: "notice", "data-tone": "warn", role: "status", hidden: true }, icon("wave"), parts.doubtWords);
    this.append(parts.notice, parts.doubt, parts.refused.element, parts.body);
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
    this.#abort = null;
    for (const section of this.#sections) section.dispose?.();
    this.#sections = [];
    this.#feed?.removeEventListener("job", this.#onJob);
    this.#feed?.removeEventListener("record", this.#onRecord);
    this.#feed?.removeEventListener("stale", this.#refresh);
    this.#feed?.removeEventListener("status", this.#whenTurned);
    this.#feed?.holders.delete(this.#holds);
    this.#feed?.release();
    this.#feed = null;
  }

  /** Skeleton first: what is known comes at once, the rest fills in without jumping. */
  #start() {
    const api = apiFor(this);
    const acts = { api, onChange: (job) => this.#changedBy(job), onRefused: (words) => this.#parts.refused.say(words) };
    const run = new RunSection(acts);
    const question = (this.#question = new QuestionSection(acts));
    const [findings, attempts, timeline] = [new FindingsSection(acts), new AttemptsSection({ api }), new TimelineSection()];
    const whole = this.hasAttribute("whole");
    const [facts, fields, photos] = [new FactsSection({ reviewed: !whole }), new FieldsSection(), new PhotosSection({ api })];
    const more = whole ? { acts: new ActsSection(acts), review: new ReviewSection(acts), place: new PlaceSection(), exchange: new ExchangeSection({ api }), comments: new CommentsSection({ api }), revisions: new RevisionsSection({ api }) } : {};
    this.#sections = [run, question, facts, fields, photos, findings, attempts, timeline, ...Object.values(more)];
    this.#parts.notice.hidden = true;
    this.#parts.doubt.hidden = true;
    this.#parts.refused.say("");
    this.#parts.body.hidden = false;
    this.#parts.body.toggleAttribute("busy", true);
    const part = (name) => more[name]?.element ?? null;
    // On a page the sections hang below these; in the dialog, below its title.
    const heading = (text) => (whole ? h("h2", { class: "visually-hidden" }, text) : null);
    fill(this.#parts.body, question.element, run.element, part("acts"),
      h("div", { class: "main" }, heading("The record"), findings.element, fields.element, photos.element, part("exchange"), part("revisions"), part("comments"),
        whole ? attempts.element : timeline.element),
      h("div", { class: "side" }, heading("About it"), part("review"), facts.element, part("place"), whole ? timeline.element : attempts.element));
  }

  async #load() {
    const id = this.#id;
    this.#abort?.abort();
    const abort = (this.#abort = new AbortController());
    this.#missed = false;
    try {
      const signal = AbortSignal.any([abort.signal, AbortSignal.timeout(PATIENCE_MS)]);
      const record = await apiFor(this).get(`/api/records/${encodeURIComponent(id)}`, {}, { signal });
      if (id !== this.#id) return;
      this.#record = record;
      this.#follow(record);
      this.#parts.notice.hidden = true;
      this.#show();
      for (const section of this.#sections) section.load?.();
    } catch (problem) {
      if (problem.name === "AbortError" || id !== this.#id) return;
      this.#failed(problem);
    } finally {
      if (this.#abort === abort) {
        this.#abort = null;
        if (this.#missed) this.#refresh();
      }
    }
  }

  // The page's own feed when it is the same project, so that both show the same thing in the same frame.
  #follow(record) {
    if (!this.#feed) {
      this.#feed = acquireFeed(apiFor(this), { project: record.project });
      this.#feed.addEventListener("job", this.#onJob);
      this.#feed.addEventListener("record", this.#onRecord);
      this.#feed.addEventListener("stale", this.#refresh);
      this.#feed.addEventListener("status", this.#whenTurned);
      this.#feed.holders.add(this.#holds);
    }
    this.#feed.merge(record.job);
  }

  #changedBy(job) {
    if (job) this.#parts.refused.say("");
    this.#feed?.merge(job);
    this.#refresh();
  }

  #failed(problem) {
    this.#parts.body.removeAttribute("busy");
    // Once shown it may have been deleted, or the caller's rights may have ended: then it must not stay on the screen.
    const gone = problem.status === 404 || problem.status === 403;
    if (gone) this.#record = null;
    const words = gone ? "There is no such record, or it is not yours to see." : problem.message;
    const again = problem.passing || !gone ? h("button", { type: "button", onClick: () => this.#load() }, "Try again") : null;
    this.#parts.notice.hidden = false;
    fill(this.#parts.notice, icon("alert"), h("span", {}, words), again);
    this.#parts.body.hidden = !this.#record;
    this.dispatchEvent(new CustomEvent("record-failed", { detail: { gone } }));
  }

  #show() {
    const record = this.#record;
    if (!record || !this.#feed) return;
    const job = this.#feed.store.forRecord(record.id) ?? record.job;
    const role = this.roles[record.project] ?? this.getAttribute("role-in-project") ?? "operator";
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
