// <form-review-table project state q>: the records of a project, newest first, live. Tells `record-open` {recordId} and
// `filter-change` {state, q}; whoever holds it keeps the filter in its attributes.

import { apiFor } from "../api.js";
import { count, visible } from "../core.js";
import { fill, h, keyed, onFrame, perFrame, rowOf, setText, throttle } from "../dom.js";
import { acquireFeed } from "../feed.js";
import { icon } from "../icons.js";
import { STATES, stateOf } from "../states.js";
import { createRow, updateRow } from "./review-row.js";

const PAGE = 50;
const SETTLED = ["completed", "cancelled"];
const AGAIN_MS = 5000;
const MOST = 200; // rows asked for again in one refresh
const COLUMNS = ["Record", "Crew", "Photos", "Findings", "Automation", "Received"];

class FormReviewTable extends HTMLElement {
  static observedAttributes = ["project", "state", "q"];
  #feed = null;
  #parts = null;
  #rows = [];
  #known = new Set();
  #next = null;
  #counts = {};
  #changed = new Map();
  #stale = new Set();
  #freshen = perFrame(this.#stale, (id) => this.#showRow(id));
  #abort = null;
  #searching = 0;
  #again = 0;
  #loaded = false;
  #resynced = false;
  #render = () => this.#show();
  #refresh = throttle(() => this.#load("refresh"), 1000);
  #announce = throttle(() => this.#say(), 1500);
  #reload = () => this.#load("first");
  #onJob = ({ detail }) => this.#take(detail);
  #onResync = () => {
    if (this.#resynced) this.#refresh();
    this.#resynced = true;
  };

  /** Records by job state, for the filter chips. */
  set counts(counts) {
    this.#counts = counts;
    onFrame(this.#render);
  }

  focusSearch() {
    this.#parts?.search.focus();
  }

  connectedCallback() {
    this.#parts ??= this.#build();
    this.#follow();
  }

  disconnectedCallback() {
    this.#leave();
  }

  attributeChangedCallback(name, before, after) {
    if (!this.isConnected || before === after || !this.#parts) return;
    if (name === "project") return this.#follow();
    const { search } = this.#parts;
    if (name === "q" && document.activeElement !== search) search.value = after ?? "";
    queueMicrotask(this.#reload);
  }

  #build() {
    const parts = {
      search: h("input", { type: "search", placeholder: "Search asset, work order, crew", "aria-label": "Search records", maxlength: 200 }),
      chips: h("div", { class: "chips", role: "group", "aria-label": "Filter by state" }),
      body: h("tbody", { role: "rowgroup" }),
      more: h("button", { type: "button", hidden: true, onClick: () => this.#load("more") }, "Load more"),
      empty: h("div", { class: "empty", hidden: true }),
      live: h("div", { class: "visually-hidden", role: "status" }),
    };
    parts.search.value = this.getAttribute("q") ?? "";
    parts.search.addEventListener("input", () => this.#search());
    parts.body.addEventListener("click", (event) => this.#onClick(event));
    parts.body.addEventListener("keydown", (event) => this.#onKey(event));
    const head = h("tr", { role: "row" }, COLUMNS.map((name) => h("th", { role: "columnheader", scope: "col" }, name)));
    parts.table = h("table", { role: "table", "aria-label": "Records" }, h("thead", { role: "rowgroup" }, head), parts.body);
    const searchBox = h("label", { class: "search" }, icon("search"), parts.search, h("kbd", { "aria-hidden": "true" }, "/"));
    this.append(
      h("div", { class: "tools" }, parts.chips, searchBox),
      h("div", { class: "card sheet" }, parts.table, parts.empty),
      h("div", { class: "below" }, parts.more),
      parts.live,
    );
    return parts;
  }

  #leave() {
    this.#refresh.cancel();
    this.#announce.cancel();
    clearTimeout(this.#again);
    this.#abort?.abort();
    this.#feed?.removeEventListener("job", this.#onJob);
    this.#feed?.removeEventListener("resync", this.#onResync);
    this.#feed?.release();
    this.#feed = null;
  }

  #follow() {
    this.#leave();
    const project = this.getAttribute("project");
    if (!project) return;
    this.#resynced = false;
    this.#feed = acquireFeed(apiFor(this), { project });
    this.#feed.addEventListener("job", this.#onJob);
    this.#feed.addEventListener("resync", this.#onResync);
    this.#load("first");
  }

  /** `first` starts over, `more` adds a page, `refresh` asks again for what is shown and keeps the rows. */
  async #load(kind) {
    if (!this.#feed) return;
    if (kind === "more" && this.#abort) return;
    this.#abort?.abort();
    clearTimeout(this.#again);
    const abort = (this.#abort = new AbortController());
    this.toggleAttribute("busy", kind !== "refresh");
    const limit = kind === "refresh" ? Math.min(MOST, Math.max(PAGE, this.#rows.length)) : PAGE;
    const query = { project: this.getAttribute("project"), state: this.getAttribute("state"), q: this.getAttribute("q"), limit };
    if (kind === "more") query.cursor = this.#next;
    try {
      const page = await apiFor(this).get("/api/records", query, { signal: abort.signal });
      this.#accept(page, kind);
    } catch (problem) {
      if (problem.name === "AbortError") return;
      if (kind === "first") [this.#rows, this.#known] = [[], new Set()];
      this.#fail(problem);
      // Nobody should have to press a button because a server was restarted.
      if (problem.passing) this.#again = setTimeout(() => this.#load(kind === "more" ? "refresh" : kind), AGAIN_MS);
    }
    if (this.#abort === abort) {
      this.#abort = null;
      this.removeAttribute("busy");
    }
  }

  #accept({ items, next }, kind) {
    for (const row of items) this.#feed.merge(row.job);
    const fresh = new Set(items.map((row) => row.id));
    const last = items.at(-1);
    if (kind === "more") {
      this.#rows = [...this.#rows.filter((row) => !fresh.has(row.id)), ...items];
      this.#next = next;
    } else {
      const older = next && last ? this.#rows.filter((row) => !fresh.has(row.id) && Date.parse(row.received_at) <= Date.parse(last.received_at)) : [];
      this.#rows = kind === "first" ? items : [...items, ...older];
      if (kind === "first" || older.length === 0) this.#next = next;
    }
    this.#known = new Set(this.#rows.map((row) => row.id));
    this.#loaded = true;
    this.#parts.empty.removeAttribute("data-tone");
    this.#show();
  }

  #fail(problem) {
    const retry = h("button", { type: "button", onClick: this.#reload }, "Try again");
    this.#parts.empty.dataset.tone = "bad";
    fill(this.#parts.empty, icon("alert"), h("h2", {}, "The records could not be loaded"), h("p", {}, problem.message), retry);
    this.#parts.empty.hidden = this.#rows.length > 0;
    if (this.#rows.length > 0) setText(this.#parts.live, `Could not refresh: ${problem.message}`);
    this.#showRows();
  }

  #take({ job, previous }) {
    const known = this.#known.has(job.record_id);
    const moved = previous?.state !== job.state;
    if (known && moved && previous) {
      this.#changed.set(job.record_id, job);
      this.#announce();
    }
    // What the list itself shows may have changed: a new record, a photo that came, a row that left the filter.
    if (!known || (moved && (this.getAttribute("state") || previous?.state === "awaiting_media" || previous?.state === "held"))) {
      if (this.#loaded) this.#refresh();
    }
    if (known) {
      this.#stale.add(job.record_id);
      this.#freshen();
    }
  }

  #say() {
    const jobs = [...this.#changed.values()];
    this.#changed.clear();
    const text = jobs.length === 1 ? `${visible(jobs[0].external_ref, 80)}: ${stateOf(jobs[0].state).label}` : `${jobs.length} records changed`;
    setText(this.#parts.live, text);
  }

  #show() {
    if (!this.#parts || !this.#feed) return;
    this.#showChips();
    this.#showRows();
    this.#parts.more.hidden = this.#next === null;
    if (!this.#loaded || this.#parts.empty.dataset.tone === "bad") return;
    this.#parts.empty.hidden = this.#rows.length > 0;
    if (this.#rows.length === 0) fill(this.#parts.empty, ...this.#emptyWords());
  }

  #showRows() {
    const { body, table } = this.#parts;
    table.hidden = this.#loaded && this.#rows.length === 0;
    keyed(body, this.#rows, {
      key: (row) => row.id,
      create: createRow,
      update: (element, row) => this.#update(element, row),
    });
  }

  // One row, and not all of them for each change: five hundred of those would keep the page from answering.
  #showRow(id) {
    const element = rowOf(this.#parts.body, id);
    const row = element && this.#feed && this.#rows.find((one) => one.id === id);
    if (row) this.#update(element, row);
  }

  #update(element, row) {
    updateRow(element, row, this.#feed.store.forRecord(row.id) ?? row.job);
  }

  #emptyWords() {
    if (this.getAttribute("q") || this.getAttribute("state")) {
      const clear = h("button", { type: "button", onClick: () => this.#filter({ state: "", q: "" }) }, "Show all records");
      return [icon("search"), h("h2", {}, "Nothing matches"), h("p", {}, "No record fits this search and filter."), clear];
    }
    return [icon("inbox"), h("h2", {}, "No records yet"), h("p", {}, "They appear here by themselves, the moment a crew sends one."),
      h("p", { class: "hint" }, "To try it, run ", h("code", {}, "asbuilt demo"), ".")];
  }

  #showChips() {
    const chosen = this.getAttribute("state") ?? "";
    // The states where work ends grow for ever and are not counted; the others are there while they have records.
    const names = Object.keys(STATES).filter((name) => this.#counts[name] > 0 || name === chosen || SETTLED.includes(name));
    const chips = ["", ...names].map((name) => ({ name, n: this.#counts[name] }));
    keyed(this.#parts.chips, chips, {
      key: ({ name }) => name,
      create: ({ name }) => {
        const word = name === "" ? h("span", {}, "All") : [icon(STATES[name].icon), h("span", {}, STATES[name].label)];
        const chip = h("button", { type: "button", class: "chip", onClick: () => this.#filter({ state: name }) }, word, h("span", { class: "n" }));
        if (name) chip.dataset.tone = STATES[name].tone;
        return chip;
      },
      update: (chip, { name, n }) => {
        setText(chip.querySelector(".n"), n === undefined ? "" : count(n));
        chip.setAttribute("aria-pressed", name === chosen);
      },
    });
  }

  #search() {
    clearTimeout(this.#searching);
    this.#searching = setTimeout(() => this.#filter({ q: this.#parts.search.value.trim() }), 250);
  }

  #filter(change) {
    if (change.q === "") this.#parts.search.value = "";
    this.dispatchEvent(new CustomEvent("filter-change", { detail: change }));
  }

  #onClick(event) {
    const row = event.target.closest("tr[data-id]");
    if (!row || event.ctrlKey || event.metaKey || event.shiftKey || String(getSelection()).length > 0) return;
    event.preventDefault();
    this.#open(row);
  }

  #onKey(event) {
    const row = event.target.closest("tr[data-id]");
    if (!row) return;
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling", j: "nextElementSibling", k: "previousElementSibling" }[event.key];
    if (step) row[step]?.focus();
    else if (event.key === "Enter" || event.key === " ") this.#open(row);
    else return;
    event.preventDefault();
  }

  #open(row) {
    row.focus({ preventScroll: true });
    this.dispatchEvent(new CustomEvent("record-open", { bubbles: true, detail: { recordId: row.dataset.id } }));
  }
}

customElements.define("form-review-table", FormReviewTable);
