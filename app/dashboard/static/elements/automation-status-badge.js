// <automation-status-badge>: a job's state as icon and word; with `detailed` also what it is doing now.
// Give it a `job` property (a page that has the data), or a `job-id` attribute and it follows that job by itself.

import { apiFor } from "../api.js";
import { duration } from "../core.js";
import { h, onFrame, setAttr, setForeign, setText } from "../dom.js";
import { acquireFeed } from "../feed.js";
import { icon } from "../icons.js";
import { stateOf } from "../states.js";
import { errorHeadline, waitSentence } from "../words.js";

class AutomationStatusBadge extends HTMLElement {
  static observedAttributes = ["job-id"];
  #job = null;
  #parts = null;
  #feed = null;
  #ticker = 0;
  #render = () => this.#show();

  get job() {
    return this.#job;
  }

  set job(job) {
    if (job === this.#job) return;
    this.#job = job;
    onFrame(this.#render);
  }

  connectedCallback() {
    this.#build();
    this.#follow();
    this.#show();
  }

  disconnectedCallback() {
    clearInterval(this.#ticker);
    this.#ticker = 0;
    this.#feed?.release();
    this.#feed = null;
  }

  attributeChangedCallback(_name, before, after) {
    if (this.isConnected && this.#parts && before !== after) this.#follow();
  }

  #build() {
    if (this.#parts) return;
    const parts = {
      icon: h("span", { class: "pill-icon" }),
      word: h("span", {}),
      note: h("bdi", { class: "note" }),
      figure: h("span", { class: "figure" }),
      bar: h("progress", { max: 100, hidden: true }),
    };
    parts.pill = h("span", { class: "pill" }, parts.icon, parts.word);
    parts.line = h("span", { class: "line" }, parts.note, parts.figure);
    this.append(parts.pill, ...(this.hasAttribute("detailed") ? [parts.line, parts.bar] : []));
    this.#parts = parts;
  }

  #follow() {
    const id = this.getAttribute("job-id");
    this.#feed?.release();
    this.#feed = null;
    if (!id) return;
    const api = apiFor(this);
    this.#feed = acquireFeed(api, { job: id });
    this.#feed.addEventListener("job", ({ detail }) => {
      if (detail.job.id === this.getAttribute("job-id")) this.job = detail.job;
    });
    const feed = this.#feed;
    api.get(`/api/jobs/${encodeURIComponent(id)}`).then((job) => { this.job = feed.merge(job); }, () => {});
  }

  #show() {
    if (!this.#parts) return;
    this.hidden = this.#job === null;
    if (!this.#job) return;
    const { pill, icon: slot, word, note, figure, bar } = this.#parts;
    const job = this.#job;
    const state = stateOf(job.state);
    if (this.dataset.state !== job.state) {
      this.dataset.state = job.state;
      slot.replaceChildren(icon(state.icon));
      setAttr(pill, "data-tone", state.tone);
      setText(word, state.label);
      setAttr(pill, "title", state.meaning);
    }
    setForeign(note, noteOf(job), 160);
    setText(figure, figureOf(job));
    this.#showBar(bar, job);
    this.#tick(job.state === "retrying" && job.ready_at !== null);
  }

  #showBar(bar, job) {
    bar.hidden = job.state !== "processing";
    if (bar.hidden) return;
    const percent = job.progress?.percent;
    if (percent === undefined) bar.removeAttribute("value");
    else if (bar.value !== percent || !bar.hasAttribute("value")) bar.value = percent;
    setAttr(bar, "aria-label", `Progress of ${job.external_ref ?? "the job"}`);
  }

  #tick(needed) {
    if (needed === this.#ticker > 0) return;
    clearInterval(this.#ticker);
    this.#ticker = needed ? setInterval(this.#render, 1000) : 0;
  }
}

/** What the job is doing or waiting for, in a few words. */
export function noteOf(job) {
  switch (job.state) {
    case "processing":
      return job.progress?.label || "Starting";
    case "retrying":
      return nextAttempt(job);
    case "completed":
      return job.confirmation ?? "";
    case "failed":
      return errorHeadline(job.error);
    case "cancelled":
      return job.error?.message ?? "";
    default:
      return waitSentence(job.wait_reason) || stateOf(job.state).meaning;
  }
}

function nextAttempt(job) {
  const wait = job.ready_at ? Date.parse(job.ready_at) - Date.now() : NaN;
  const next = job.wait_reason === "portal_down" ? "Portal not available, next try" : `Attempt ${job.failures + 1} of ${job.max_attempts}`;
  return wait > 1000 ? `${next} in ${duration(Math.ceil(wait / 1000) * 1000)}` : `${next} any moment`;
}

function figureOf(job) {
  if (job.state !== "processing" || !job.progress) return "";
  return `${job.progress.step_index}/${job.progress.step_total} · ${job.progress.percent} %`;
}

customElements.define("automation-status-badge", AutomationStatusBadge);
