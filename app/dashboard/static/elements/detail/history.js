// The history of a record: every attempt with its steps and screenshots, and the timeline of all that happened.

import { between, exact, visible } from "../../core.js";
import { clockTime, fill, foreign, h, keyed, pill, setAttr, setText } from "../../dom.js";
import { icon } from "../../icons.js";
import { STATES, stateOf } from "../../states.js";
import { actLabel, errorHeadline, humanize, outcomeOf, waitSentence } from "../../words.js";
import { drawBar, emptyBar, logOf } from "./log.js";
import { openLightbox } from "./photos.js";
import { Picture } from "./picture.js";

const WAITING = ["awaiting_media", "held", "queued", "needs_input"];
const TROUBLED = ["retrying", "failed", "needs_input"];
const CHANGES = { media: "A photo arrived", changed: "Changed" };
const STEP_ICONS = { confirmed: ["check", "Done"], failed: ["cross", "Failed"], running: ["gear", "Running"] };

export class AttemptsSection {
  #parts = new WeakMap();

  constructor({ api }) {
    this.api = api;
    this.list = h("div", { class: "attempts" });
    this.tail = h("span", { class: "count" });
    this.empty = h("p", { class: "faint" }, "No attempt has started yet.");
    this.element = h("section", { class: "section", "aria-label": "Attempts" }, h("h3", {}, "Attempts", this.tail), this.list, this.empty);
  }

  update(record) {
    const attempts = [...record.attempts].sort((a, b) => Date.parse(b.started_at) - Date.parse(a.started_at) || b.attempt - a.attempt);
    setText(this.tail, attempts.length > 0 ? String(attempts.length) : "");
    this.empty.hidden = attempts.length > 0;
    keyed(this.list, attempts, {
      key: (attempt) => `${attempt.job_id} ${attempt.attempt}`,
      create: (attempt) => this.#create(attempt, attempt === attempts[0]),
      update: (element, attempt) => this.#update(element, attempt),
    });
  }

  #create(attempt, open) {
    const parts = { outcome: h("span", {}), took: h("span", { class: "faint figure" }), steps: h("ol", { class: "steps" }), error: h("div", { class: "said", hidden: true }) };
    parts.log = logOf(this.api, attempt);
    const summary = h("summary", {}, icon("chevron"), h("span", { class: "name" }, `Attempt ${attempt.attempt}`), parts.outcome, parts.took);
    const element = h("details", { open }, summary, parts.error, parts.steps,
      h("p", { class: "faint small" }, foreign(attempt.worker ?? "unknown worker", { limit: 120 }), ", started ", clockTime(attempt.started_at)), parts.log.element);
    this.#parts.set(element, parts);
    return element;
  }

  #update(element, attempt) {
    const { outcome, took, steps, error, log } = this.#parts.get(element);
    const ended = attempt.outcome ? outcomeOf(attempt.outcome) : { label: "Running", tone: "run", icon: "gear" };
    if (outcome.dataset.key !== ended.label) {
      outcome.dataset.key = ended.label;
      log.ended();
      fill(outcome, pill(ended));
    }
    setText(took, between(attempt.started_at, attempt.ended_at));
    setAttr(took, "title", exact(attempt.started_at));
    error.hidden = !attempt.error;
    if (attempt.error) setText(error, `${errorHeadline(attempt.error)}: ${visible(attempt.error.message ?? attempt.error.code, 600)}`);
    const list = [...attempt.steps].sort((a, b) => a.index - b.index);
    const span = { from: Date.parse(attempt.started_at), to: attempt.ended_at ? Date.parse(attempt.ended_at) : Date.now() };
    keyed(steps, list, {
      key: (step) => step.key,
      create: () => this.#createStep(),
      update: (row, step) => this.#updateStep(row, step, list, span),
    });
  }

  #createStep() {
    const parts = { state: h("span", { class: "step-icon" }), label: h("bdi", {}), took: h("span", { class: "faint figure" }), picture: new Picture({ api: this.api, alt: "" }) };
    parts.frame = h("button", { type: "button", class: "thumb tiny", hidden: true }, parts.picture.element);
    parts.bar = emptyBar();
    const row = h("li", {}, parts.state, parts.label, parts.took, parts.frame, parts.bar);
    this.#parts.set(row, parts);
    return row;
  }

  #updateStep(row, step, list, span) {
    const { state, label, took, picture, frame, bar } = this.#parts.get(row);
    bar.toggleAttribute("hidden", step.resumed === true);
    drawBar(bar, step, span);
    const [name, word] = STEP_ICONS[step.state] ?? ["clock", humanize(step.state)];
    if (row.dataset.state !== step.state) {
      row.dataset.state = step.state;
      fill(state, icon(name), h("span", { class: "visually-hidden" }, word));
    }
    setText(label, `${visible(step.label || humanize(step.key), 160)}${step.resumed ? " (saved before)" : ""}`);
    setText(took, between(step.started_at, step.ended_at));
    frame.hidden = !step.screenshot;
    if (!step.screenshot) return;
    picture.alt = `Screenshot: ${label.textContent}`;
    setAttr(frame, "aria-label", `Open screenshot: ${label.textContent}`);
    frame.onclick = () => this.#open(step, list);
    picture.show(step.screenshot);
  }

  #open(step, list) {
    const shown = list.filter((candidate) => candidate.screenshot);
    const items = shown.map((one) => ({ title: visible(one.label || humanize(one.key), 160), large: one.screenshot }));
    openLightbox({ api: this.api, items, start: shown.indexOf(step) });
  }
}

export class TimelineSection {
  constructor() {
    this.list = h("ol", { class: "timeline" });
    this.element = h("section", { class: "section", "aria-label": "Timeline" }, h("h3", {}, "Timeline"), this.list);
  }

  update(record) {
    const entries = [...record.timeline].sort((a, b) => Date.parse(b.at) - Date.parse(a.at) || b.seq - a.seq);
    keyed(this.list, entries, { key: (entry) => `${entry.at} ${entry.seq} ${entry.kind}`, create: timelineEntry });
  }
}

function timelineEntry(entry) {
  const known = Object.hasOwn(STATES, entry.state ?? "");
  const state = known ? stateOf(entry.state) : { icon: "flag", tone: "mute" };
  const title = known && entry.kind !== "media" && entry.kind !== "changed" ? state.label : CHANGES[entry.kind] ?? actLabel(entry.kind);
  return h("li", { "data-tone": state.tone },
    h("span", { class: "node" }, icon(state.icon)),
    h("div", {},
      h("div", { class: "top" }, h("span", { class: "name" }, title), clockTime(entry.at)),
      factsOf(entry).map((fact) => h("p", {}, foreign(fact, { limit: 400 }))),
      entry.actor ? h("p", { class: "faint" }, "by ", foreign(entry.actor.replace(":", " "), { limit: 120 })) : null));
}

/** What was new about it: an event carries the whole job as it was, of which each state has its own point of interest. */
function factsOf({ state, data, kind }) {
  const facts = [];
  if (data?.reason) facts.push(`“${data.reason}”`);
  if (state === "processing" && data.attempt) facts.push(`Attempt ${data.attempt}`);
  if (state === "completed" && data.confirmation) facts.push(`Confirmation ${data.confirmation}`);
  if (WAITING.includes(state) && data.wait_reason) facts.push(waitSentence(data.wait_reason));
  if (TROUBLED.includes(state) && data.error) facts.push(data.error.message || errorHeadline(data.error));
  if (!state && !data?.reason && kind) facts.push(...Object.entries(data ?? {}).filter(([, v]) => typeof v !== "object" && v !== "").map(([k, v]) => `${humanize(k)}: ${v}`));
  return facts.slice(0, 6);
}
